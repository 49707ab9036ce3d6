/* The head's sums on cores with DSP instructions and a floating-point unit: head.c's, in its order. Weights
 * are loaded four at a time, and features as one word that SXTAB takes apart. */
#if defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_FMA) && !defined(__ARM_FEATURE_MVE)
#include "assembly.h"

/* Two outputs' products with four features (s4 to s7). */
.macro two_rows first, second, sum_a, sum_b
    vldmia \first!, {s8-s11}
    vldmia \second!, {s12-s15}
    vfma.f32 \sum_a, s8, s4
    vfma.f32 \sum_b, s12, s4
    vfma.f32 \sum_a, s9, s5
    vfma.f32 \sum_b, s13, s5
    vfma.f32 \sum_a, s10, s6
    vfma.f32 \sum_b, s14, s6
    vfma.f32 \sum_a, s11, s7
    vfma.f32 \sum_b, s15, s7
.endm

/* void psog_head_sums(struct psog_head_sums *head, const int8_t *features, uint32_t count, int32_t offset).
 * r4 to r7: rows; s0 to s3: sums. */
function psog_head_sums
    push {r0, r4-r9, lr}
    ldmia r0!, {r4-r7}
    vldmia r0, {s0-s3}
    subs r2, r2, #4
    blo 2f
1:  ldr r8, [r1], #4
    sxtab r9, r3, r8
    sxtab r12, r3, r8, ror #8
    vmov s4, s5, r9, r12
    sxtab r9, r3, r8, ror #16
    sxtab r12, r3, r8, ror #24
    vmov s6, s7, r9, r12
    vcvt.f32.s32 s4, s4
    vcvt.f32.s32 s5, s5
    vcvt.f32.s32 s6, s6
    vcvt.f32.s32 s7, s7
    two_rows r4, r5, s0, s1
    two_rows r6, r7, s2, s3
    subs r2, r2, #4
    bhs 1b
2:  adds r2, r2, #4
    beq 4f
3:  ldrsb r8, [r1], #1
    add r8, r8, r3
    vmov s4, r8
    vcvt.f32.s32 s4, s4
    vldmia r4!, {s8}
    vldmia r5!, {s9}
    vldmia r6!, {s10}
    vldmia r7!, {s11}
    vfma.f32 s0, s8, s4
    vfma.f32 s1, s9, s4
    vfma.f32 s2, s10, s4
    vfma.f32 s3, s11, s4
    subs r2, r2, #1
    bne 3b
4:  pop {r0, r4}
    adds r0, r0, #16
    vstmia r0, {s0-s3}
    pop {r5-r9, pc}
#endif
