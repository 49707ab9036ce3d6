/* Sparse weights: every list is walked once, so that kernels may follow it. */
#pragma GCC optimize("Os") /* runs once for a model */

#include "bytes.h"
#include "layer.h"

#if PSOG_RUNS_PAIRED

/* What is left of a list, and where in the input its last step has ended, in bytes from the first row. */
struct walk {
    const uint8_t *at;
    uint32_t left;
    uint32_t position;
};

/* Steps of `bytes` each, the last four of which say how far it is to the next inputs. These are a pair of
 * channels of an input row: one of `places`, `stride` bytes apart. */
static bool walk_steps(struct walk *walk, uint32_t count, uint32_t bytes, uint32_t places, uint32_t stride)
{
    for (; count > 0; count--) {
        if (walk->left < bytes)
            return false;
        walk->position += psog_get_u32(walk->at + bytes - 4u); /* may wrap, as the kernel's address does */
        if (walk->position % stride != 0 || walk->position / stride >= places)
            return false;
        walk->position += PSOG_SPARSE_ADVANCE;
        walk->at += bytes;
        walk->left -= bytes;
    }
    return true;
}

static bool valid_list(const struct psog_layer *layer, struct walk walk, uint32_t kernel_rows)
{
    uint32_t places = kernel_rows * psog_pairs(layer->in_channels);
    uint32_t stride = 4u * layer->columns;
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        if (walk.left < 4u)
            return false;
        const uint8_t *counts = walk.at;
        walk = (struct walk){walk.at + 4, walk.left - 4u, 0};
        if (counts[3] != 0 || !walk_steps(&walk, counts[0], PSOG_SPARSE_TWO_BYTES, places, stride) ||
            !walk_steps(&walk, counts[1], PSOG_SPARSE_TWO_BYTES, places, stride) ||
            !walk_steps(&walk, counts[2], PSOG_SPARSE_THREE_BYTES, places, stride))
            return false;
    }
    return true;
}

bool psog_valid_sparse(const struct psog_layer *layer, uint32_t size)
{
    const uint8_t *weights = (const uint8_t *)layer->weights;
    if (layer->kind != PSOG_CONVOLUTION || size < PSOG_SPARSE_HEADER_BYTES || psog_get_u32(weights) > size)
        return false;
    size = psog_get_u32(weights);
    for (uint32_t row = 0; row < layer->out_rows; row++) {
        enum psog_reach reach = psog_reach(layer, row);
        uint32_t begin = psog_get_u32(weights + 4u + 4u * reach);
        uint32_t kernel_rows = reach == PSOG_INSIDE ? 3 : reach == PSOG_SINGLE_ROW ? 1 : 2;
        if (begin < PSOG_SPARSE_HEADER_BYTES || begin % 4u != 0 || begin > size ||
            !valid_list(layer, (struct walk){weights + begin, size - begin, 0}, kernel_rows))
            return false;
        if (reach == PSOG_INSIDE) /* so are all others but the last */
            row = layer->padding == PSOG_SAME ? layer->out_rows - 2u : layer->out_rows;
    }
    return true;
}
#endif
