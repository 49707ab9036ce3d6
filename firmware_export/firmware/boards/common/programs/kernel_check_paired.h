/* Random layers of kernel_check.c as paired kernels take them (docs/SPEC.md, Packings), and outputs back. */
#ifndef KERNEL_CHECK_PAIRED_H
#define KERNEL_CHECK_PAIRED_H

#include "bytes.h"
#include "kernel_check_int4.h"
#include "layer.h"

/* Where values are written, as int16, int8 or halves of bytes. */
struct packer {
    enum psog_packing packing;
    uint8_t *bytes;
    uint32_t pairs; /* so far */
    uint8_t factor; /* of the output that they belong to, of halves of bytes */
};

/* The next pair of weights. Of int8 ones two make a word: both first values, then both second ones. */
static void put_pair(struct packer *packer, int32_t even, int32_t odd)
{
    uint32_t index = packer->pairs++;
    if (packer->packing == PSOG_PAIRED_16) {
        psog_put_u32(packer->bytes + 4u * index, (uint32_t)(even & 0xFFFF) | (uint32_t)odd << 16);
        return;
    }
    if (packer->packing == PSOG_PAIRED_4) { /* of four pairs the first two in lower halves */
        uint8_t *quarter = packer->bytes + 4u * (index / 4u) + index % 2u;
        put_half(quarter, index % 4u >= 2u, even, packer->factor);
        put_half(quarter + 2, index % 4u >= 2u, odd, packer->factor);
        return;
    }
    uint8_t *word = packer->bytes + 4u * (index / 2u) + index % 2u;
    word[0] = (uint8_t)even;
    word[2] = (uint8_t)odd;
}

static void pack_convolution(const struct psog_layer *layer, struct packer *packer)
{
    uint32_t channels = layer->in_channels;
    for (uint32_t row = 0; row < 3u * layer->out_channels; row++)
        for (uint32_t channel = 0; channel < channels; channel += 2u)
            for (uint32_t column = 0; column < 3u; column++) {
                const int8_t *w = layer->weights + (3u * row + column) * channels + channel;
                put_pair(packer, w[0], channel + 1u < channels ? w[1] : 0);
            }
}

/* Which input each half of a dense layer's word is, or less than 0: rows of columns of pairs of channels, but
 * cells in pairs where there is one channel. */
static int32_t dense_input(const struct psog_layer *layer, uint32_t half)
{
    uint32_t channels = layer->in_channels, columns = layer->columns;
    uint32_t word = half / 2u, pairs = psog_pairs(channels);
    if (channels == 1u)
        return half < (uint32_t)layer->rows * columns ? (int32_t)half : -1;
    uint32_t row = word / (pairs * columns), column = word % columns;
    uint32_t channel = 2u * (word / columns % pairs) + half % 2u;
    if (row >= layer->rows || channel >= channels)
        return -1;
    return (int32_t)((row * columns + column) * channels + channel);
}

static int32_t dense_weight(const struct psog_layer *layer, uint32_t output, uint32_t half)
{
    int32_t input = dense_input(layer, half);
    return input < 0 ? 0 : layer->weights[output * psog_layer_inputs(layer) + (uint32_t)input];
}

/* Four outputs interleaved by words, two words of int8 or four of int4; those that are left one by one. */
static void pack_dense(const struct psog_layer *layer, struct packer *packer)
{
    uint32_t words = psog_paired_inputs(layer), together = 4u / PSOG_PAIR_BYTES(packer->packing);
    uint32_t out = layer->out_channels;
    for (uint32_t first = 0, next; first < out; first = next) {
        next = first + 4u <= out ? first + 4u : first + 1u;
        for (uint32_t word = 0; word < words; word += together)
            for (uint32_t output = first; output < next; output++) {
                packer->factor = test.factors[output];
                for (uint32_t half = 2u * word; half < 2u * (word + together); half += 2u)
                    put_pair(packer, dense_weight(layer, output, half),
                             dense_weight(layer, output, half + 1u));
            }
    }
}

/* Twice the multiplier less 2^32, and the right shift less one, of each output. */
static void pack_requantization(const struct psog_layer *layer, uint8_t *packed)
{
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        psog_put_u32(packed + 8u * channel, 2u * psog_get_u32(layer->multipliers + 4u * channel));
        psog_put_u32(packed + 8u * channel + 4u, (uint32_t)(-layer->shifts[channel] - 1));
    }
}

/* Words of the input that a kernel may read. */
static uint32_t input_words(const struct psog_layer *layer)
{
    if (layer->kind == PSOG_DENSE)
        return psog_paired_inputs(layer);
    return (uint32_t)layer->rows * layer->columns * psog_pairs(layer->in_channels);
}

/* Words of which a kernel writes halves. */
static uint32_t output_words(const struct psog_layer *layer)
{
    return (uint32_t)layer->out_rows * layer->out_columns * psog_pairs(layer->out_channels);
}

/* The input less its zero point. What lies behind it is left alone. */
static void place_inputs(const struct psog_layer *layer, const int8_t *input, int16_t *halves)
{
    if (layer->kind == PSOG_DENSE) {
        for (uint32_t half = 0; half < 2u * psog_paired_inputs(layer); half++)
            if (dense_input(layer, half) >= 0)
                halves[half] = (int16_t)(input[dense_input(layer, half)] - layer->in_zero);
        return;
    }
    uint32_t channels = layer->in_channels, columns = layer->columns, pairs = psog_pairs(channels);
    for (uint32_t i = 0; i < psog_layer_inputs(layer); i++) {
        uint32_t channel = i % channels, column = i / channels % columns, row = i / channels / columns;
        halves[2u * ((row * pairs + channel / 2u) * columns + column) + channel % 2u] =
            (int16_t)(input[i] - layer->in_zero);
    }
}

static void take_outputs(const struct psog_layer *layer, const int16_t *halves, int8_t *output)
{
    uint32_t channels = layer->out_channels, columns = layer->out_columns, pairs = psog_pairs(channels);
    for (uint32_t i = 0; i < psog_layer_outputs(layer); i++) {
        uint32_t channel = i % channels, column = i / channels % columns, row = i / channels / columns;
        uint32_t half = 2u * ((row * pairs + channel / 2u) * columns + column) + channel % 2u;
        output[i] = (int8_t)(halves[layer->kind == PSOG_DENSE ? i : half] + PSOG_PAIRED_ZERO);
    }
}

#endif
