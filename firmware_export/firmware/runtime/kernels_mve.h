/* What kernels_mve.c hands to its inner loops (kernels_mve.S, kernels_mve_pairs.S), and where they find it.
 * They change it as they go. */
#ifndef PSOG_KERNELS_MVE_H
#define PSOG_KERNELS_MVE_H

#ifdef __ASSEMBLER__
#define WEIGHTS 0
#define PITCH 4
#define BIASES 8
#define SHIFTS_LEFT 12
#define CORRECTIONS 16
#define MULTIPLIERS 20
#define SHIFTS 24
#define OUTPUT 28
#define OUT_STEP 32
#define ZERO 36
#define BLOCKS 40

#define INPUT 44
#define INPUTS 48

#define COLUMNS 52
#define ROWS 56
#define STEP 60
#define ROW_SKIP 64
#define NEAR 68
#define FAR 84
#define FIRST_SUMS 100
#define FAR_WEIGHTS 116

#define CHANNELS 44
#define OUTSIDE 48
#define READS_EDGES 49
#define CELLS 50
#define SINGLES 51
#define TRIPLES 52
#define SUMS 56
#define VALUES 60
#define PLACES 64
#define TURNS 80
#define TURN_BYTES 16
#define ENTRY 128
#define FROM 132
#define ROW_WEIGHTS 136
#define TURN 140

/* The second half of requantization, and zero point; outputs are then the lowest bytes of the lanes. */
.macro scale sums, right, spare, zero
    vand \spare, \sums, \right
    vshr.s32 \spare, \spare, #31
    vadd.i32 \sums, \sums, \spare
    vrshl.s32 \sums, \sums, \right
    vqadd.s32 \sums, \sums, \zero
    vqmovnb.s32 \sums, \sums
    vqmovnb.s16 \sums, \sums
.endm
#else
#include "layer.h"

#define PSOG_LANES 4u  /* of 32 bits */
#define PSOG_VECTOR 16u /* bytes */

/* Output channels that are computed together, a block of them at a time: four, or a pair. */
struct psog_blocks {
    const int8_t *weights; /* of the first block; its first channel */
    uint32_t pitch;        /* to the weights of the next channel */
    const int32_t *biases;
    uint32_t shifts_left; /* whether any shift does */
    const int32_t *corrections, *multipliers;
    const int8_t *shifts;
    int8_t *output;
    uint32_t out_step; /* from the outputs of a cell, or of two, to the next */
    int32_t zero;
    uint32_t count;
};

struct psog_dense_mve {
    struct psog_blocks blocks; /* of four */
    const int8_t *input;
    uint32_t inputs;
};

/* Windows whose bytes fit into two vectors. */
struct psog_windows_mve {
    struct psog_blocks blocks; /* of four */
    const int8_t *input;       /* the first window; with its border if it has one */
    uint32_t bytes;            /* of a window */
    uint32_t columns, rows;    /* of outputs */
    uint32_t step;             /* from one window to the next */
    uint32_t row_skip;         /* and behind the last of a row */
    uint8_t places[2u * PSOG_VECTOR]; /* of a window's bytes, from its first on */
    int32_t first_sums[PSOG_LANES];   /* from here on set by psog_convolve_windows */
    int8_t far_weights[PSOG_LANES * PSOG_VECTOR];
};

/* Any other convolution. */
struct psog_pairs_mve {
    struct psog_blocks blocks; /* of two; out_step of two cells */
    uint32_t channels;         /* of the input */
    int8_t outside;            /* an input outside the image */
    uint8_t reads_edges;       /* 1 where rows begin and end with real inputs: without padding */
    uint8_t cells;             /* of a row of outputs */
    uint8_t singles, triples;  /* of the columns that meet three cells each, taken one by one and in threes */
    int32_t *sums;
    uint32_t values;             /* in it: two channels of each cell */
    uint32_t places[PSOG_LANES]; /* of the outputs of two cells */
    struct {
        const int8_t *input; /* of the first row that meets this kernel row inside */
        int32_t *sums;       /* of its outputs */
        uint32_t rows;
        int32_t *outside; /* sums of the row of outputs that meets it outside, or NULL */
    } turn[3];            /* of each kernel row */
    uint32_t own[4];      /* variables of psog_convolve_pairs */
};

/* Each computes all blocks; blocks is the first member of its own struct. */
void psog_dense_blocks(struct psog_blocks *dense);
void psog_convolve_windows(struct psog_blocks *windows);
void psog_convolve_pairs(struct psog_blocks *pairs);

/* Dense layers with weights of four bits (kernels_mve_int4.c). */
void psog_dense_4(const struct psog_layer *layer, const int8_t *input, int8_t *output);
#endif
#endif
