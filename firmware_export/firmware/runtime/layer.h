/* One layer of an image, and the kernels that compute it. */
#ifndef PSOG_LAYER_H
#define PSOG_LAYER_H

#include "psog.h"

/* Of an entry of the layer table. */
#define PSOG_LAYER_BYTES 32u
#define PSOG_LAYER_WEIGHTS_AT 12u
#define PSOG_LAYER_BIASES_AT 16u
#define PSOG_LAYER_MULTIPLIERS_AT 20u
#define PSOG_LAYER_SHIFTS_AT 24u

#define PSOG_TAPS 9u /* of a 3×3 kernel */

enum psog_layer_kind { PSOG_CONVOLUTION = 0, PSOG_DENSE = 1 };
enum psog_padding { PSOG_VALID = 0, PSOG_SAME = 1 };

/* Decoded from the image's table when it is needed, so that a model costs no RAM per layer. */
struct psog_layer {
    uint8_t kind;
    uint8_t padding;
    uint8_t rows, columns; /* of the input; activations are (row, column, channel), channels fastest */
    uint8_t out_rows, out_columns;
    uint16_t in_channels, out_channels;
    int8_t in_zero, out_zero;
    int8_t low, high;           /* smallest and largest output */
    const int8_t *weights;      /* convolution (out, 3, 3, in), dense (out, in) */
    const uint8_t *biases;      /* out × i32 */
    const uint8_t *multipliers; /* out × i32 */
    const int8_t *shifts;
};

/* Kind, shape and zero points of an entry of the layer table; its arrays are left out. */
struct psog_layer psog_layer_shape(const uint8_t *entry);

/* Layer `index` of a checked model, complete. */
struct psog_layer psog_layer_decode(const struct psog_model *model, uint32_t index);

static inline uint32_t psog_layer_inputs(const struct psog_layer *layer)
{
    return (uint32_t)layer->rows * layer->columns * layer->in_channels;
}

static inline uint32_t psog_layer_outputs(const struct psog_layer *layer)
{
    return (uint32_t)layer->out_rows * layer->out_columns * layer->out_channels;
}

/* Kernels. input and output do not overlap. kernels_portable.c is the specification; a version for one core
 * gives the same bits. */
void psog_convolve(const struct psog_layer *layer, const int8_t *input, int8_t *output);
void psog_dense(const struct psog_layer *layer, const int8_t *input, int8_t *output);

#endif
