/* The innermost loops of the paired layers. kernels_armv7em.S has them for the DSP instructions and relies on
 * the places of these members. */
#ifndef PSOG_KERNELS_PAIRED_H
#define PSOG_KERNELS_PAIRED_H

#include "layer.h"

/* What rows of outputs are cut into, by the loops there are for it (kernels_paired.c). */
enum psog_tile_kind {
    PSOG_ROW_OF_5 = 0,
    PSOG_3_OF_5 = 1,
    PSOG_MIDDLE = 2,
    PSOG_RIGHT = 3,
    PSOG_LEFT = 4,
    PSOG_RIGHT_OF_8 = 5,
    PSOG_LEFT_OF_8 = 6,
    PSOG_OTHER_TILES = 7, /* no loop: in C */
};
#define PSOG_HOLDS_TILE(kind) ((PSOG_TILES >> (kind)) % 2u)

/* A few outputs beside each other, of every channel. */
struct psog_tile {
    int16_t *outputs;           /* 0: of the first channel; the next column is two further */
    uint32_t step_bytes;        /* 4: to the next channel: 2, and out_pitch less that, in turns */
    const uint8_t *biases;      /* 8 */
    uint32_t weight_skip;       /* 12: bytes of a channel's weights that the tile has no input rows for */
    const uint8_t *multipliers; /* 16: and shifts, in pairs (layer.h) */
    uint32_t out_pitch;         /* 20: bytes from one pair of channels to the next */
    uint32_t channels;          /* 24 */
    const uint32_t *inputs;     /* 28 */
    uint32_t iterations;        /* 32: input rows · pairs of channels: so many times three pairs of weights */
    uint32_t rest_bytes;        /* 36: of an input row, beyond what one iteration reads */
};

struct psog_tile_shape {
    uint8_t outputs;
    uint8_t left;   /* 1: the first output has no input to its left */
    uint8_t inputs; /* words that one iteration reads */
    uint8_t columns; /* of the input: words from one iteration to the next */
};

/* A tile in C. */
void psog_tile(const struct psog_tile *tile, const uint8_t *weights, enum psog_packing packing,
               struct psog_tile_shape shape);

/* The same of sparse weights, the list for these input rows. */
void psog_sparse_tile(const struct psog_tile *tile, const uint8_t *weights, struct psog_tile_shape shape);

/* Outputs of a dense layer, four at a time; then those that are left, one at a time. */
struct psog_block {
    const uint32_t *inputs;     /* 0 */
    uint32_t groups;            /* 4: of PSOG_PAIRED_GROUP words */
    const uint8_t *biases;      /* 8 */
    const uint8_t *multipliers; /* 12: and shifts, in pairs */
    int16_t *outputs;           /* 16 */
    uint32_t blocks;            /* 20: of four outputs */
    uint32_t singles;           /* 24 */
    const uint8_t *factors;     /* 28: of weights of four bits */
};

#ifdef PSOG_CORE_DSP
/* A tile by one of the loops below, which are no functions of their own. */
typedef void psog_tile_loop(void);
void psog_run_tile(const struct psog_tile *tile, const uint8_t *weights, psog_tile_loop *loop);
psog_tile_loop psog_tile_5_full_16, psog_tile_5_full_8, psog_tile_4_left_16, psog_tile_4_left_8,
    psog_tile_4_middle_16, psog_tile_4_middle_8, psog_tile_4_right_16, psog_tile_4_right_8,
    psog_tile_8_left_16, psog_tile_8_right_16, psog_tile_3_middle_16, psog_tile_3_middle_8,
    psog_sparse_5_full, psog_sparse_4_left, psog_sparse_4_middle, psog_sparse_4_right, psog_sparse_3_middle;
void psog_block_16(struct psog_block *block, const uint8_t *weights);
void psog_block_8(struct psog_block *block, const uint8_t *weights);
void psog_block_4(struct psog_block *block, const uint8_t *weights);
#endif

#endif
