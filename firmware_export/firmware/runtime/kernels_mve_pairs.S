/* Convolutions with MVE: two output channels at a time. kernels_mve.c prepares what this works on, and says
 * what requantization is.
 *
 * The weights of a kernel row, three taps of up to sixteen input channels for each of the two, stay in q1 to
 * q6 while rows of the input slide past in q0. A vector of inputs meets all six: it is the right neighbour of
 * one cell, the centre of the next, and the left neighbour of the one after that.
 *
 * After DLSTP every vector instruction acts on as many bytes as lr says, up to LCTP, outside of a loop too:
 * inputs and weights of fewer than sixteen channels need no predicate of their own.
 * Source: Armv8-M Architecture Reference Manual, low-overhead-branch extension. */
#include "kernels_mve.h"
#if defined(__ARM_FEATURE_MVE)
#include "assembly.h"

/* The next inputs. */
.macro load vector
    vldrb.8 \vector, [r1]
    add r1, r5
.endm

/* What lies beside a row is in q7, and stays there if the input is padded. */
.macro load_edge
    cbz r7, 99f
    load q7
99:
.endm

/* Adds products with one tap's weights to the sums of both channels. */
.macro add_tap tap, sum_a, sum_b, inputs=q0
    .if \tap == 0
        vmladava.s8 \sum_a, \inputs, q1
        vmladava.s8 \sum_b, \inputs, q4
    .elseif \tap == 1
        vmladava.s8 \sum_a, \inputs, q2
        vmladava.s8 \sum_b, \inputs, q5
    .else
        vmladava.s8 \sum_a, \inputs, q3
        vmladava.s8 \sum_b, \inputs, q6
    .endif
.endm

/* The inputs of a column: the last of the cell before it, the next of the cell at it, the first of the one
 * behind. */
.macro column before_a, before_b, at_a, at_b, behind_a, behind_b
    load q0
    ldrd \behind_a, \behind_b, [r3, #16]
    add_tap 0, \behind_a, \behind_b
    add_tap 1, \at_a, \at_b
    add_tap 2, \before_a, \before_b
    strd \before_a, \before_b, [r3], #8
.endm

/* r12 pairs, r1 inputs, r3 sums, r5 from cell to cell, r7 whether edges are read, r9 rows left, r11 columns
 * left; even registers hold sums. */
function psog_convolve_pairs
    push {r4-r11, lr}
    vpush {d8-d15}
    mov r12, r0
    ldrb r0, [r12, #SINGLES]
    ldrb r1, [r12, #TRIPLES]
    ldrb r3, [r12, #CELLS]
    adr r2, .Llast_columns
    cbz r1, 1f
    adr r2, .Ltriples
1:  cbz r0, 2f
    adr r2, .Lsingles
2:  cmp r3, #1
    bne 3f
    adr r2, .Lonly_column
3:  adds r2, #1 /* Thumb */
    str r2, [r12, #ENTRY]

.Lpair: /* every sum begins with its bias */
    ldr r1, [r12, #BIASES]
    ldr r3, [r12, #CORRECTIONS]
    ldrd r0, r2, [r1], #8
    ldrd r4, r6, [r3], #8
    str r1, [r12, #BIASES]
    str r3, [r12, #CORRECTIONS]
    add r0, r4
    add r2, r6
    vmov q0[2], q0[0], r0, r0
    vmov q0[3], q0[1], r2, r2
    ldrd r1, r3, [r12, #SUMS] /* and VALUES */
    dlstp.32 lr, r3
1:  vstrw.32 q0, [r1], #16
    letp lr, 1b
    movs r0, #0

.Lchannels: /* sixteen of the input, or what is left of them */
    str r0, [r12, #FROM]
    ldr r1, [r12, #WEIGHTS]
    add r1, r0
    str r1, [r12, #ROW_WEIGHTS]
    ldr r5, [r12, #CHANNELS]
    sub r0, r5, r0
    dlstp.8 lr, r0
    ldrb r0, [r12, #OUTSIDE]
    ldrb r7, [r12, #READS_EDGES]
    vdup.8 q7, r0
    add r11, r12, #TURNS

.Lturn: /* one row of the kernel */
    ldr r0, [r12, #ROW_WEIGHTS]
    ldr r2, [r12, #PITCH]
    add r2, r0
    vldrb.8 q1, [r0]
    add r0, r5
    vldrb.8 q2, [r0]
    add r0, r5
    vldrb.8 q3, [r0]
    add r0, r5
    str r0, [r12, #ROW_WEIGHTS]
    vldrb.8 q4, [r2]
    add r2, r5
    vldrb.8 q5, [r2]
    add r2, r5
    vldrb.8 q6, [r2]
    ldr r0, [r12, #FROM]
    ldmia r11!, {r1, r3, r9}
    add r1, r0
    str r11, [r12, #TURN]
    cmp r9, #0
    beq .Loutside

.Lrow:
    load_edge
    ldrd r0, r2, [r3]
    add_tap 0, r0, r2, q7
    load q0
    ldrd r4, r6, [r3, #8]
    add_tap 0, r4, r6
    add_tap 1, r0, r2
    ldrb r11, [r12, #TRIPLES]
    ldr pc, [r12, #ENTRY]

    .balign 4
.Lsingles:
    ldrb r11, [r12, #SINGLES]
1:  column r0, r2, r4, r6, r8, r10
    mov r0, r4
    mov r2, r6
    mov r4, r8
    mov r6, r10
    subs r11, #1
    bne 1b
    ldrb r11, [r12, #TRIPLES]
    cmp r11, #0
    beq .Llast_columns
    .balign 4
.Ltriples:
    column r0, r2, r4, r6, r8, r10
    column r4, r6, r8, r10, r0, r2
    column r8, r10, r0, r2, r4, r6
    subs r11, #1
    bne .Ltriples
    .balign 4
.Llast_columns:
    load q0
    add_tap 1, r4, r6
    add_tap 2, r0, r2
    strd r0, r2, [r3], #8
    load_edge
    add_tap 2, r4, r6, q7
    strd r4, r6, [r3], #8
    subs r9, #1
    bne .Lrow

.Loutside: /* the row of cells, if there is one, that meets this kernel row outside */
    ldr r11, [r12, #TURN]
    ldr r3, [r11], #4
    cbz r3, 2f
    vmladav.s8 r0, q7, q1
    vmladav.s8 r2, q7, q4
    add_tap 1, r0, r2, q7
    add_tap 2, r0, r2, q7
    ldrb r9, [r12, #CELLS]
    add r9, r9
    mov r10, lr
    dlstp.32 lr, r9
    vmov q0[2], q0[0], r0, r0
    vmov q0[3], q0[1], r2, r2
1:  vldrw.32 q7, [r3]
    vadd.i32 q7, q7, q0
    vstrw.32 q7, [r3], #16
    letp lr, 1b
    dlstp.8 lr, r10
    ldrb r0, [r12, #OUTSIDE]
    vdup.8 q7, r0
2:  add r0, r12, #(TURNS + 3 * TURN_BYTES)
    cmp r11, r0
    bne .Lturn
    lctp
    ldr r0, [r12, #FROM]
    adds r0, #16
    cmp r0, r5
    blo .Lchannels

    ldrd r1, r3, [r12, #MULTIPLIERS] /* and SHIFTS */
    ldrd r0, r2, [r1], #8
    ldrsb r4, [r3], #1
    ldrsb r6, [r3], #1
    strd r1, r3, [r12, #MULTIPLIERS]
    vmov q2[2], q2[0], r0, r0
    vmov q2[3], q2[1], r2, r2
    vmov q3[2], q3[0], r4, r4
    vmov q3[3], q3[1], r6, r6
    ldrd r1, r3, [r12, #SUMS] /* and VALUES */
    ldr r0, [r12, #SHIFTS_LEFT]
    cbz r0, 2f
    movs r0, #0
    vdup.32 q0, r0
    vmax.s32 q1, q3, q0
    vmin.s32 q3, q3, q0
    mov r2, r1
    dlstp.32 lr, r3
1:  vldrw.32 q0, [r2]
    vshl.s32 q0, q0, q1
    vstrw.32 q0, [r2], #16
    letp lr, 1b
2:  vldrw.32 q4, [r12, #PLACES]
    ldrd r2, r4, [r12, #OUTPUT] /* and OUT_STEP */
    adds r0, r2, #2
    str r0, [r12, #OUTPUT]
    ldr r0, [r12, #ZERO]
    dlstp.32 lr, r3
1:  vldrw.32 q0, [r1], #16
    vqrdmulh.s32 q0, q0, q2
    scale q0, q3, q1, r0
    vstrb.32 q0, [r2, q4]
    add r2, r4
    letp lr, 1b

    ldrd r0, r2, [r12, #WEIGHTS] /* and PITCH */
    add r0, r0, r2, lsl #1
    str r0, [r12, #WEIGHTS]
    ldr r0, [r12, #BLOCKS]
    subs r0, #1
    str r0, [r12, #BLOCKS]
    bne .Lpair
    vpop {d8-d15}
    pop {r4-r11, pc}

    .balign 4
.Lonly_column: /* the sums of the next one have been touched, but are not stored */
    load_edge
    add_tap 2, r0, r2, q7
    strd r0, r2, [r3], #8
    subs r9, #1
    bne .Lrow
    b .Loutside
    .size psog_convolve_pairs, . - psog_convolve_pairs
#endif
