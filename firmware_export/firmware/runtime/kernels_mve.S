/* Dense layers, and convolutions of few channels, with MVE: four output channels at a time, which become the
 * lanes of a vector. kernels_mve.c prepares what these loops work on, and says what requantization is. */
#include "kernels_mve.h"
#if defined(__ARM_FEATURE_MVE)
#include "assembly.h"

/* The four sums, in r0, r2, r4 and r6, to a vector. */
.macro gather_sums vector
    vmov \vector[2], \vector[0], r0, r4
    vmov \vector[3], \vector[1], r2, r6
.endm

/* r12 dense, r8 weights of the next block, r11 pitch, r10 blocks left, r1 inputs, r3 r5 r7 r9 weights. */
function psog_dense_blocks
    push {r4-r11, lr}
    mov r12, r0
    ldrd r8, r11, [r12, #WEIGHTS]
    ldr r10, [r12, #BLOCKS]
.Ldense_block:
    mov r3, r8
    add r5, r3, r11
    add r7, r5, r11
    add r9, r7, r11
    add r8, r9, r11
    ldrd r1, r0, [r12, #INPUT] /* and INPUTS */
    dlstp.8 lr, r0
    movs r0, #0
    movs r2, #0
    movs r4, #0
    movs r6, #0
1:  vldrb.8 q0, [r1], #16
    vldrb.8 q1, [r3], #16
    vmladava.s8 r0, q0, q1
    vldrb.8 q1, [r5], #16
    vmladava.s8 r2, q0, q1
    vldrb.8 q1, [r7], #16
    vmladava.s8 r4, q0, q1
    vldrb.8 q1, [r9], #16
    vmladava.s8 r6, q0, q1
    letp lr, 1b
    gather_sums q0
    add r0, r12, #BIASES /* to OUTPUT */
    ldm r0, {r1-r6}
    vldrw.32 q1, [r1], #16
    vldrw.32 q2, [r3], #16
    vadd.i32 q0, q0, q1
    vadd.i32 q0, q0, q2
    vldrb.s32 q3, [r5], #4
    cbnz r2, 3f
2:  vldrw.32 q2, [r4], #16
    ldr r7, [r12, #ZERO]
    vqrdmulh.s32 q0, q0, q2
    scale q0, q3, q1, r7
    vstrb.32 q0, [r6], #4
    stm r0, {r1-r6}
    subs r10, #1
    bne .Ldense_block
    pop {r4-r11, pc}
3:  movs r7, #0
    vdup.32 q1, r7
    vmax.s32 q2, q3, q1
    vmin.s32 q3, q3, q1
    vshl.s32 q0, q0, q2
    b 2b
    .size psog_dense_blocks, . - psog_dense_blocks

/* r12 windows, r1 the window, r3 output, r5 whether it has a second vector, r8 and r10 steps of output and
 * window, r9 rows left, r11 zero point, q0 to q3 weights, q6 multipliers, q7 shifts, none to the left. */
function psog_convolve_windows
    push {r4-r11, lr}
    vpush {d8-d15}
    mov r12, r0
.Lwindow_block:
    ldrd r0, r2, [r12, #WEIGHTS] /* and PITCH */
    ldr r4, [r12, #INPUTS]
    dlstp.8 lr, r4
    mov r1, r0
    vldrb.8 q0, [r1]
    add r1, r2
    vldrb.8 q1, [r1]
    add r1, r2
    vldrb.8 q2, [r1]
    add r1, r2
    vldrb.8 q3, [r1]
    add r1, r2
    str r1, [r12, #WEIGHTS]
    lctp
    subs r5, r4, #16
    ite hi
    movhi r7, #1
    movls r7, #0
    bls 1f
    dlstp.8 lr, r5
    vldrb.8 q4, [r0, #16]
    add r0, r2
    vldrb.8 q5, [r0, #16]
    add r0, r2
    vldrb.8 q6, [r0, #16]
    add r0, r2
    vldrb.8 q7, [r0, #16]
    lctp
    add r0, r12, #FAR_WEIGHTS
    vstrw.32 q4, [r0]
    vstrw.32 q5, [r0, #16]
    vstrw.32 q6, [r0, #32]
    vstrw.32 q7, [r0, #48]
1:  add r0, r12, #BIASES /* to OUTPUT */
    ldm r0, {r1-r6}
    vldrw.32 q4, [r1], #16
    vldrw.32 q5, [r3], #16
    vldrw.32 q6, [r4], #16
    vldrb.s32 q7, [r5], #4
    vadd.i32 q4, q4, q5
    vstrw.32 q4, [r12, #FIRST_SUMS]
    mov r8, r6
    adds r6, #4
    stm r0, {r1-r6}
    mov r3, r8
    mov r5, r7
    ldrd r8, r11, [r12, #OUT_STEP] /* and ZERO */
    ldr r1, [r12, #INPUT]
    ldrd r9, r10, [r12, #ROWS] /* and STEP */
.Lwindow_row:
    ldr lr, [r12, #COLUMNS]
    dls lr, lr
2:  vldrw.32 q4, [r12, #NEAR]
    vldrb.u8 q5, [r1, q4]
    ldrd r0, r2, [r12, #FIRST_SUMS]
    ldrd r4, r6, [r12, #(FIRST_SUMS + 8)]
    vmladava.s8 r0, q5, q0
    vmladava.s8 r2, q5, q1
    vmladava.s8 r4, q5, q2
    vmladava.s8 r6, q5, q3
    cbnz r5, 4f
3:  add r1, r10
    gather_sums q5
    vqrdmulh.s32 q5, q5, q6
    scale q5, q7, q4, r11
    vstrb.32 q5, [r3]
    add r3, r8
    le lr, 2b
    ldr r0, [r12, #ROW_SKIP]
    add r1, r0
    subs r9, #1
    bne .Lwindow_row
    ldr r0, [r12, #BLOCKS]
    subs r0, #1
    str r0, [r12, #BLOCKS]
    bne .Lwindow_block
    vpop {d8-d15}
    pop {r4-r11, pc}
4:  vldrw.32 q4, [r12, #FAR]
    vldrb.u8 q5, [r1, q4]
    vldrw.32 q4, [r12, #FAR_WEIGHTS]
    vmladava.s8 r0, q5, q4
    vldrw.32 q4, [r12, #(FAR_WEIGHTS + 16)]
    vmladava.s8 r2, q5, q4
    vldrw.32 q4, [r12, #(FAR_WEIGHTS + 32)]
    vmladava.s8 r4, q5, q4
    vldrw.32 q4, [r12, #(FAR_WEIGHTS + 48)]
    vmladava.s8 r6, q5, q4
    b 3b
    .size psog_convolve_windows, . - psog_convolve_windows
#endif
