/* What kernels_armv7em.S and kernels_armv7em_int4.S share. */
#include "assembly.h"

/* Places in struct psog_block; those of the biases are also struct psog_tile's. */
#define BIASES 8
#define MULTIPLIERS 12 /* then outputs */
#define BLOCKS 20
#define SINGLES 24
#define FACTORS 28

/* sum · multiplier · 2^(shift - 31), rounded twice, at least 0, at most 255. multiplier: twice it less 2^32,
 * so that SMMLAR's rounded high half and the sum itself make the product; shift: to the right, less 1. The
 * second rounding is explained at `psog_finish` in paired_arithmetic.h. */
.macro requantize sum, multiplier=r10, shift=r11
    smmlar \sum, \sum, \multiplier, \sum
    asr \sum, \sum, \shift
    adds \sum, \sum, #1
    usat \sum, #8, \sum, asr #1
.endm
