/* How an assembly file begins, and what C can call in it. */
    .syntax unified
    .thumb

.macro entry name
    .balign 4
    .global \name
    .type \name, %function
    .thumb_func
\name:
.endm

/* In a section of its own, so that the linker can leave it out. */
.macro function name
    .section .text.\name, "ax"
    entry \name
.endm
