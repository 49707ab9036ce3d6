/* One layer of an image, and the kernels that compute it. */
#ifndef PSOG_LAYER_H
#define PSOG_LAYER_H

#include "holds.h"
#include "psog.h"

/* Of an entry of the layer table. */
#define PSOG_LAYER_BYTES 36u
#define PSOG_LAYER_WEIGHTS_AT 12u
#define PSOG_LAYER_BIASES_AT 16u
#define PSOG_LAYER_MULTIPLIERS_AT 20u
#define PSOG_LAYER_SHIFTS_AT 24u
#define PSOG_LAYER_CORRECTIONS_AT 28u
#define PSOG_LAYER_PACKING_AT 32u

#define PSOG_TAPS 9u /* of a 3×3 kernel */

enum psog_layer_kind { PSOG_CONVOLUTION = 0, PSOG_DENSE = 1 };
enum psog_padding { PSOG_VALID = 0, PSOG_SAME = 1 };

/* In which order an image holds a layer's weights, and as what (docs/SPEC.md, Packings). Activations between
 * plain layers are int8; between paired ones, pairs of channels as 16 bits each, less their zero point. */
enum psog_packing {
    PSOG_PLAIN = 0,     /* int8, one output after the other */
    PSOG_PAIRED_16 = 1, /* int16, interleaved for two products at once */
    PSOG_PAIRED_8 = 2,  /* the same order as int8 */
    PSOG_SPARSE = 3,    /* of a convolution, int16: what is not 0, and where it belongs */
    PSOG_PAIRED_4 = 4,  /* of a dense layer, two to a byte: multiples of a factor of each output */
    PSOG_PLAIN_4 = 5,   /* the same for plain kernels */
};
#define PSOG_PACKINGS 6u

/* Outputs of a paired layer, less their zero point. */
#define PSOG_PAIRED_ZERO (-128)
#define PSOG_PAIRED_GROUP 8u /* a dense layer reads its input in groups of so many words */

/* Decoded from the image's table when it is needed, so that a model costs no RAM per layer. */
struct psog_layer {
    uint8_t kind;
    uint8_t padding;
    uint8_t packing;
    uint8_t rows, columns; /* of the input; activations are (row, column, channel), channels fastest */
    uint8_t out_rows, out_columns;
    uint16_t in_channels, out_channels;
    int8_t in_zero, out_zero;
    int8_t low, high;           /* smallest and largest output */
    const int8_t *weights;      /* plain: convolution (out, 3, 3, in), dense (out, in) */
    const uint8_t *biases;      /* out × i32 */
    /* plain: out × i32; paired: out × { i32 2 · multiplier − 2^32, i32 −shift − 1 } */
    const uint8_t *multipliers;
    const int8_t *shifts;       /* plain: out */
    const uint8_t *corrections; /* plain: out × i32, −(input zero) · Σ weights */
};

/* Layer `index` of a checked model; or of one whose check has come as far as that its arrays begin inside the
 * image, wherever they may end. */
struct psog_layer psog_layer_decode(const struct psog_model *model, uint32_t index);

static inline uint32_t psog_layer_inputs(const struct psog_layer *layer)
{
    return (uint32_t)layer->rows * layer->columns * layer->in_channels;
}

static inline uint32_t psog_layer_outputs(const struct psog_layer *layer)
{
    return (uint32_t)layer->out_rows * layer->out_columns * layer->out_channels;
}

/* A cell's channels in pairs; bytes of a pair of weights. */
static inline uint32_t psog_pairs(uint32_t channels)
{
    return (channels + 1u) / 2u;
}

/* Whether a packing, one of `packings`, is this one: not asked where it is the only one, or none of them. */
#define PSOG_IS(packings, packing, asked) \
    ((packings) == 1u << (asked) || (((packings) >> (asked)) % 2u != 0 && (packing) == (asked)))

#define PSOG_PAIR_BYTES(packing)                                  \
    (psog_packs(packing, PSOG_PAIRED_4)   ? 1u                    \
     : psog_packs(packing, PSOG_PAIRED_8) ? 2u                    \
                                          : 4u)

/* Of one of the two families of packings. */
static inline bool psog_packs_plain(uint32_t packing)
{
    return packing == PSOG_PLAIN || packing == PSOG_PLAIN_4;
}

/* Whether a packing of a checked model is this one, and whether a layer is dense: what a build does not hold
 * need not be asked. */
static inline bool psog_packs(uint32_t packing, enum psog_packing asked)
{
    return PSOG_HOLDS(asked) && packing == asked;
}

static inline bool psog_is_dense(const struct psog_layer *layer)
{
    return PSOG_CONVOLUTIONS == 0 || layer->kind == PSOG_DENSE;
}

/* Whether a layer of a checked model is plain; what a build cannot run need not be asked. */
static inline bool psog_is_plain(const struct psog_layer *layer)
{
    return PSOG_RUNS_PLAIN && (!PSOG_RUNS_PAIRED || psog_packs_plain(layer->packing));
}

/* ---- Weights of four bits: first the factors, then an output's weights after the other's, or interleaved
 * as int8 ones are. A byte holds two multiples, −8 … 7. ---- */

#define PSOG_STRETCH 32u /* plain inputs, whose weights lie in 16 bytes: of the first half in lower halves */

static inline uint32_t psog_factor_bytes(const struct psog_layer *layer)
{
    return (layer->out_channels + 3u) & ~3u;
}

static inline uint32_t psog_plain4_row_bytes(uint32_t inputs)
{
    return (inputs + PSOG_STRETCH - 1u) / PSOG_STRETCH * (PSOG_STRETCH / 2u);
}

/* Whether a build has a loop for every tile of a convolution that is valid and packed as it may be. */
#if defined(PSOG_CORE_DSP) && PSOG_TILES != 0xFF
bool psog_holds_tiles(const struct psog_layer *layer);
#else
static inline bool psog_holds_tiles(const struct psog_layer *layer)
{
    (void)layer;
    return true;
}
#endif

/* ---- Paired layers: where their activations lie ---- */

/* By how many words the output must begin before the input, if rows are computed from the first on; or, if
 * from the last on, what is kept for it must end behind the input. */
uint32_t psog_paired_lead(const struct psog_layer *layer);

/* Words that are kept for a layer's input and output: whole groups, because that is what a dense layer reads.
 * What lies behind the activations meets weights that are zero. */
uint32_t psog_paired_inputs(const struct psog_layer *layer);
uint32_t psog_paired_outputs(const struct psog_layer *layer);

/* ---- Sparse weights ---- */

/* Which kernel rows lie inside the input, for a row of outputs: an image has a list of weights for each. */
enum psog_reach { PSOG_INSIDE = 0, PSOG_AT_TOP = 1, PSOG_AT_BOTTOM = 2, PSOG_SINGLE_ROW = 3 };
#define PSOG_REACHES 4u
#define PSOG_SPARSE_HEADER_BYTES (4u + 4u * PSOG_REACHES) /* of all, then where each list begins */
#define PSOG_SPARSE_TWO_BYTES 12u                         /* a step of two columns: weights, way */
#define PSOG_SPARSE_THREE_BYTES 16u
#define PSOG_SPARSE_ADVANCE 12 /* bytes by which a step has moved on in the input */

static inline enum psog_reach psog_reach(const struct psog_layer *layer, uint32_t row)
{
    uint32_t border = layer->padding == PSOG_SAME;
    uint32_t top = border && row == 0, bottom = border && row + 1u == layer->rows;
    return (enum psog_reach)(top + 2u * bottom);
}

/* Whether a sparse layer's weights lie inside `size` bytes and reach no input that is not there
 * (image_sparse.c). */
bool psog_valid_sparse(const struct psog_layer *layer, uint32_t size);

/* ---- Kernels ---- */

/* Plain kernels. Cells outside a padded input hold its zero point. input and output do not overlap.
 * kernels_plain.c is the specification; a version for one core gives the same bits. */
void psog_convolve(const struct psog_layer *layer, const int8_t *input, int8_t *output);
void psog_dense(const struct psog_layer *layer, const int8_t *input, int8_t *output);

/* Paired kernels (kernels_paired.c). A convolution's activations are (row, pair of channels, column) words,
 * each with the even channel in its lower half; a dense layer's output is one channel after the other. The
 * output may overlap the input as far as psog_paired_lead says. */
void psog_convolve_paired(const struct psog_layer *layer, const uint32_t *input, uint32_t *output,
                          bool from_last_row);
void psog_dense_paired(const struct psog_layer *layer, const uint32_t *input, uint32_t *output);

#endif
