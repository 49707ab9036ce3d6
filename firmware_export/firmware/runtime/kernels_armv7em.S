/* The paired layers' innermost loops for the DSP instructions of Armv7E-M and Armv8-M (Cortex-M4, M7, M33).
 * kernels_paired.c and kernels_paired_dense.c say the same in C; the two are compared bit for bit.
 *
 * A convolution's tile keeps one sum per output and three pairs of weights in registers. Each input word is
 * loaded once and meets all three, so that a row of five outputs costs 17 instructions for 13 SMLAD, where
 * computing four channels of one output would load five words for every four. */
#if defined(__ARM_FEATURE_SIMD32) && !defined(__ARM_FEATURE_MVE)
#include "kernels_armv7em.h"

/* Places in what a tile has on the stack. */
#define INPUTS 28 /* then iterations */
#define REST_BYTES 36
#define LOOP 40
#define TILE_BYTES 44

/* Adds the products of an input word and a pair of weights to the sum of `output`, if the tile has it. */
.macro multiply output, outputs, x, w
    .if (\output) >= 0 && (\output) < (\outputs)
        .if (\output) == 0
            smlad r3, \x, \w, r3
        .elseif (\output) == 1
            smlad r4, \x, \w, r4
        .elseif (\output) == 2
            smlad r5, \x, \w, r5
        .elseif (\output) == 3
            smlad r6, \x, \w, r6
        .else
            smlad r7, \x, \w, r7
        .endif
    .endif
.endm

/* Input word `index` of an iteration: the left, middle and right weights' outputs. */
.macro use x, index, outputs, left
    multiply (\index + \left), \outputs, \x, r8
    multiply (\index + \left - 1), \outputs, \x, r9
    multiply (\index + \left - 2), \outputs, \x, r10
.endm

/* All inputs of one iteration (r0) with three pairs of weights (r8 to r10): 3 words, then 2 or 3. The rest of
 * the row is passed over: `rest` bytes, or r7 if that is -1. */
.macro iteration outputs, left, inputs, rest
    ldmia r0!, {r11, r12, lr}
    use r11, 0, \outputs, \left
    use r12, 1, \outputs, \left
    use lr, 2, \outputs, \left
    .if \inputs == 6
        ldmia r0!, {r11, r12, lr}
    .elseif \rest > 0
        ldrd r11, r12, [r0], #(8 + \rest)
    .else
        ldmia r0!, {r11, r12}
    .endif
    use r11, 3, \outputs, \left
    use r12, 4, \outputs, \left
    .if \inputs == 6
        use lr, 5, \outputs, \left
    .endif
    .if \rest < 0
        add r0, r0, r7
    .endif
.endm

/* Six pairs of int8 weights for two iterations, three words from r1 on. */
.macro two_iterations outputs, left, inputs, rest
    ldr r8, [r1]
    ldr r10, [r1, #4]
    sxtb16 r9, r8, ror #8
    sxtb16 r8, r8
    sxtb16 r10, r10
    iteration \outputs, \left, \inputs, \rest
    ldr r8, [r1, #4]
    ldr r9, [r1, #8]
    adds r1, r1, #12
    sxtb16 r8, r8, ror #8
    sxtb16 r10, r9, ror #8
    sxtb16 r9, r9
    iteration \outputs, \left, \inputs, \rest
.endm

/* One output: two roundings as `requantize` has them, but the second one's shift is a product as well, with
 * the negative of a power of two (lr; r9: 0), which leaves the flags alone. */
.macro store sum, column
    smmlar \sum, \sum, r10, \sum
    smmlsr \sum, \sum, lr, r9
    usat \sum, #8, \sum
    strh \sum, [r0, #(4 * \column)]
.endm

/* void psog_run_tile(const struct psog_tile *tile, const uint8_t *weights, loop). A loop starts with every sum
 * at the bias (r3 to r7) and r2 iterations, and ends by branching to where as many outputs as it has are
 * stored. On the stack: the tile, and the loop. Instead of multipliers and channels it has what makes a
 * place among the multipliers of twice one behind the bias, and where the biases end. */
function psog_run_tile
    push {r4-r11, lr}
    mov lr, r2
    ldm r0, {r3-r12}
    sub r7, r7, r5, lsl #1
    subs r7, r7, #8
    add r9, r5, r9, lsl #2
    push {r3-r12, lr}
    mov r0, r3
    mov r2, r4
    mov r8, r5
next_channel: /* r0 its output, r2 from there to the next channel's, r8 biases */
    ldr r3, [r8], #4
    stm sp, {r0, r2, r8}
    ldrd r0, r2, [sp, #INPUTS]
    mov r4, r3
    mov r5, r3
    mov r6, r3
    mov r7, r3
    ldr pc, [sp, #LOOP]

/* What the outputs of a channel need; and whether it is the last one. */
.macro take_requantization
    ldm sp, {r0, r2, r8, r9, r11, r12, lr}
    add r11, r11, r8, lsl #1
    add r1, r1, r9
    ldrd r10, r11, [r11]
    cmp r8, lr
    mov r9, #0
    mov lr, #0x80000000
    asr lr, lr, r11
.endm

/* Where a loop goes on, which may lie in another section; that of three or four outputs is one of its own. */
.macro stored name
    .type \name, %function
    .thumb_func
\name:
.endm

stored store_5
    take_requantization
    store r7, 4
stored store_four
    store r6, 3
stored store_three
    store r5, 2
    store r4, 1
    store r3, 0
    add r0, r0, r2
    sub r2, r12, r2
    bne next_channel
    add sp, sp, #TILE_BYTES
    pop {r4-r11, pc}

    .section .text.store_4, "ax"
stored store_4
    take_requantization
    b store_four

    .section .text.store_3, "ax"
stored store_3
    take_requantization
    b store_three

/* The loops: two iterations in one turn. As int16, an odd number of them begins with the second. */
.macro tile name, outputs, left, inputs, bits, rest=-1
    function \name
    .if \rest < 0
        ldr r7, [sp, #REST_BYTES]
    .endif
    .if \bits == 8
2:      two_iterations \outputs, \left, \inputs, \rest
        subs r2, r2, #2
        bne 2b
    .else
        lsls r8, r2, #31
        bne 3f
2:      ldmia r1!, {r8-r10}
        iteration \outputs, \left, \inputs, \rest
3:      ldmia r1!, {r8-r10}
        iteration \outputs, \left, \inputs, \rest
        subs r2, r2, #2
        bgt 2b
    .endif
    b store_\outputs
.endm

    tile psog_tile_5_full_16, 5, 1, 5, 16, 0
    tile psog_tile_5_full_8, 5, 1, 5, 8, 0
    tile psog_tile_8_left_16, 4, 1, 5, 16, 12
    tile psog_tile_8_right_16, 4, 0, 5, 16, 12
    tile psog_tile_4_left_16, 4, 1, 5, 16
    tile psog_tile_4_left_8, 4, 1, 5, 8
    tile psog_tile_4_middle_16, 4, 0, 6, 16
    tile psog_tile_4_middle_8, 4, 0, 6, 8
    tile psog_tile_4_right_16, 4, 0, 5, 16
    tile psog_tile_4_right_8, 4, 0, 5, 8
    tile psog_tile_3_middle_16, 3, 0, 5, 16, 0
    tile psog_tile_3_middle_8, 3, 0, 5, 8, 0

/* Input word `index` of a step with two weights, the first of kernel column `first`. */
.macro use_two x, index, outputs, left, first
    multiply (\index + \left - \first), \outputs, \x, r8
    multiply (\index + \left - \first - 1), \outputs, \x, r9
.endm

/* Where a step's inputs lie is said relative to the last one's, 12 bytes behind its first. */
.macro two_weights outputs, left, inputs, first
    ldmia r1!, {r8, r9, r11}
    add r0, r0, r11
    ldmia r0!, {r11, r12, lr}
    use_two r11, 0, \outputs, \left, \first
    use_two r12, 1, \outputs, \left, \first
    use_two lr, 2, \outputs, \left, \first
    .if \inputs == 6
        ldmia r0, {r11, r12, lr}
    .else
        ldrd r11, r12, [r0]
    .endif
    use_two r11, 3, \outputs, \left, \first
    use_two r12, 4, \outputs, \left, \first
    .if \inputs == 6
        use_two lr, 5, \outputs, \left, \first
    .endif
.endm

.macro three_weights outputs, left, inputs
    ldmia r1!, {r8-r11}
    add r0, r0, r11
    ldmia r0!, {r11, r12, lr}
    use r11, 0, \outputs, \left
    use r12, 1, \outputs, \left
    use lr, 2, \outputs, \left
    .if \inputs == 6
        ldmia r0, {r11, r12, lr}
    .else
        ldrd r11, r12, [r0]
    .endif
    use r11, 3, \outputs, \left
    use r12, 4, \outputs, \left
    .if \inputs == 6
        use lr, 5, \outputs, \left
    .endif
.endm

/* Steps with weights of the two left kernel columns, of the two right ones, and of all three. */
.macro sparse name, outputs, left, inputs
    function \name
    ldr r2, [r1], #4
    ands r10, r2, #0xFF
    beq 2f
1:  two_weights \outputs, \left, \inputs, 0
    subs r10, r10, #1
    bne 1b
2:  ands r10, r2, #0xFF00
    beq 4f
3:  two_weights \outputs, \left, \inputs, 1
    subs r10, r10, #0x100
    bne 3b
4:  lsrs r2, r2, #16
    beq store_\outputs
5:  three_weights \outputs, \left, \inputs
    subs r2, r2, #1
    bne 5b
    b store_\outputs
.endm

    sparse psog_sparse_5_full, 5, 1, 5
    sparse psog_sparse_4_left, 4, 1, 5
    sparse psog_sparse_4_middle, 4, 0, 6
    sparse psog_sparse_4_right, 4, 0, 5
    sparse psog_sparse_3_middle, 3, 0, 5

/* Four words of input (r6 to r9) with four outputs' int16 weights. */
.macro word x
    ldmia r1!, {r10-r12, lr}
    smlad r2, \x, r10, r2
    smlad r3, \x, r11, r3
    smlad r4, \x, r12, r4
    smlad r5, \x, lr, r5
.endm

.macro four_words_16
    ldmia r0!, {r6-r9}
    word r6
    word r7
    word r8
    word r9
.endm

/* Two words of input with one output's four int8 weights. */
.macro two_words_8 sum, weights
    sxtb16 r8, \weights
    smlad \sum, r6, r8, \sum
    sxtb16 r8, \weights, ror #8
    smlad \sum, r7, r8, \sum
.endm

.macro four_words_8
    .rept 2
    ldrd r6, r7, [r0], #8
    ldmia r1!, {r9-r12}
    two_words_8 r2, r9
    two_words_8 r3, r10
    two_words_8 r4, r11
    two_words_8 r5, r12
    .endr
.endm

.macro four_words_single_16
    ldmia r0!, {r6-r9}
    ldmia r1!, {r10-r12, lr}
    smlad r2, r6, r10, r2
    smlad r2, r7, r11, r2
    smlad r2, r8, r12, r2
    smlad r2, r9, lr, r2
.endm

.macro four_words_single_8
    ldmia r1!, {r9, r10}
    ldrd r6, r7, [r0], #8
    two_words_8 r2, r9
    ldrd r6, r7, [r0], #8
    two_words_8 r2, r10
.endm

/* Places in what a block has on the stack, after the end of its input. */
#define BLOCK_INPUTS 4 /* then biases */
#define BLOCK_BIASES 8
#define BLOCK_MULTIPLIERS 12 /* then outputs */
#define END_OF_FOURS 20
#define END_OF_OUTPUTS 24
#define BLOCK_BYTES 28

/* Goes back to `loop` until the input's end, and then loads where requantization and outputs are. */
.macro until_the_end loop
    ldr r10, [sp]
    cmp r0, r10
    bne \loop
    ldrd r7, r9, [sp, #BLOCK_MULTIPLIERS]
.endm

/* void name(struct psog_block *block, const uint8_t *weights). */
.macro block name, bits
function \name
    push {r4-r11, lr}
    ldm r0, {r2-r8}
    add r3, r2, r3, lsl #5
    add r7, r6, r7, lsl #3
    add r8, r7, r8, lsl #1
    push {r2, r4-r8}
    push {r3}
    cmp r6, r7
    beq 3f
1:  ldrd r0, r10, [sp, #BLOCK_INPUTS]
    ldmia r10!, {r2-r5}
    str r10, [sp, #BLOCK_BIASES]
2:  four_words_\bits
    four_words_\bits
    until_the_end 2b
    ldmia r7!, {r8, r10-r12}
    requantize r2, r8, r10
    requantize r3, r11, r12
    ldmia r7!, {r8, r10-r12}
    requantize r4, r8, r10
    requantize r5, r11, r12
    orr r2, r2, r3, lsl #16
    orr r3, r4, r5, lsl #16
    strd r2, r3, [r9], #8
    strd r7, r9, [sp, #BLOCK_MULTIPLIERS]
    ldr r10, [sp, #END_OF_FOURS]
    cmp r9, r10
    bne 1b
    mov r6, r9
3:  ldr r10, [sp, #END_OF_OUTPUTS]
    cmp r6, r10
    beq 5f
    ldrd r0, r10, [sp, #BLOCK_INPUTS]
    ldr r2, [r10], #4
    str r10, [sp, #BLOCK_BIASES]
4:  four_words_single_\bits
    four_words_single_\bits
    until_the_end 4b
    ldrd r10, r11, [r7], #8
    requantize r2
    strh r2, [r9], #2
    strd r7, r9, [sp, #BLOCK_MULTIPLIERS]
    mov r6, r9
    b 3b
5:  add sp, sp, #BLOCK_BYTES
    pop {r4-r11, pc}
.endm

    block psog_block_16, 16
    block psog_block_8, 8
#endif
