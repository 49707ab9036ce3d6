/* Dense layers with weights of four bits, for the DSP instructions of kernels_armv7em.S.
 *
 * A multiple stays in the upper half of its byte, where SXTB16 finds its sign, and counts sixteen times. Eight
 * inputs of an output cost its word, two masks, four SXTB16 and four SMLAD. */
#if defined(__ARM_FEATURE_SIMD32) && !defined(__ARM_FEATURE_MVE)
#include "kernels_armv7em.h"

/* Four words of input (r6 to r9) with one output's next word of weights (r1). r12: the upper halves. */
.macro eight_inputs sum
    ldr r10, [r1], #4
    and r11, r12, r10, lsl #4
    and r10, r12, r10
    sxtb16 lr, r11
    smlad \sum, r6, lr, \sum
    sxtb16 lr, r11, ror #8
    smlad \sum, r7, lr, \sum
    sxtb16 lr, r10
    smlad \sum, r8, lr, \sum
    sxtb16 lr, r10, ror #8
    smlad \sum, r9, lr, \sum
.endm

/* Goes back to `loop` until the input's end, which lies on the stack, and then loads what the next outputs
 * need: r6 the block, r7 requantization, r8 biases, r9 where they go, lr factors. */
.macro until_the_end loop
    ldr r10, [sp]
    cmp r0, r10
    bne \loop
    ldr r6, [sp, #8]
    ldrd r7, r9, [r6, #MULTIPLIERS]
    ldr r8, [r6, #BIASES]
    ldr lr, [r6, #FACTORS]
.endm

.macro finish sum
    ldr r10, [r8], #4
    ldrb r11, [lr], #1
    asrs \sum, \sum, #4
    mla \sum, \sum, r11, r10
    ldrd r10, r11, [r7], #8
    requantize \sum
    strh \sum, [r9], #2
.endm

.macro finished
    strd r7, r9, [r6, #MULTIPLIERS]
    str r8, [r6, #BIASES]
    str lr, [r6, #FACTORS]
.endm

/* void psog_block_4(struct psog_block *block, const uint8_t *weights). The end of the input is kept below the
 * block's address on the stack, because every register is taken. */
function psog_block_4
    push {r0, r4-r11, lr}
    mov r12, #0xF0F0F0F0
    ldrd r2, r3, [r0]
    add r2, r2, r3, lsl #5
    push {r2, r3}
    ldr r3, [r0, #BLOCKS]
    cmp r3, #0
    beq 3f
1:  ldr r6, [sp, #8]
    ldr r0, [r6]
    movs r2, #0
    movs r3, #0
    movs r4, #0
    movs r5, #0
2:  ldmia r0!, {r6-r9}
    eight_inputs r2
    eight_inputs r3
    eight_inputs r4
    eight_inputs r5
    until_the_end 2b
    finish r2
    finish r3
    finish r4
    finish r5
    finished
    ldr r7, [r6, #BLOCKS]
    subs r7, r7, #1
    str r7, [r6, #BLOCKS]
    bne 1b
3:  ldr r6, [sp, #8]
    ldr r7, [r6, #SINGLES]
    subs r7, r7, #1
    bmi 5f
    str r7, [r6, #SINGLES]
    ldr r0, [r6]
    movs r2, #0
4:  ldmia r0!, {r6-r9}
    eight_inputs r2
    until_the_end 4b
    finish r2
    finished
    b 3b
5:  add sp, sp, #8
    pop {r0, r4-r11, pc}
#endif
