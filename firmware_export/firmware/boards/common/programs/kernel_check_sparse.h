/* Random layers of kernel_check.c as sparse lists (docs/SPEC.md, Packings). */
#ifndef KERNEL_CHECK_SPARSE_H
#define KERNEL_CHECK_SPARSE_H

#include "bytes.h"
#include "layer.h"

#define HEAVIEST_PAIR 0x80008000u

struct sparse_writer {
    uint8_t *bytes;
    uint32_t size; /* so far */
    bool heaviest; /* each weight the lowest that int16 holds, where any is */
};

static void put_word(struct sparse_writer *writer, uint32_t word)
{
    psog_put_u32(writer->bytes + writer->size, word);
    writer->size += 4u;
}

/* The pair of weights from input channel `channel` on, as two int16. */
static uint32_t weight_pair(const struct psog_layer *layer, uint32_t output, uint32_t tap, uint32_t channel)
{
    const int8_t *w = layer->weights + (output * PSOG_TAPS + tap) * layer->in_channels + channel;
    uint32_t odd = channel + 1u < layer->in_channels ? (uint32_t)w[1] : 0u;
    return ((uint32_t)w[0] & 0xFFFFu) | odd << 16;
}

enum { LEFT_TWO, RIGHT_TWO, ALL_THREE, STEP_KINDS };

/* Of a kernel row and pair of channels; STEP_KINDS where all its weights are 0. */
static uint32_t step_kind(const struct psog_layer *layer, uint32_t output, uint32_t row, uint32_t channel)
{
    bool left = weight_pair(layer, output, 3u * row, channel) != 0;
    bool middle = weight_pair(layer, output, 3u * row + 1u, channel) != 0;
    bool right = weight_pair(layer, output, 3u * row + 2u, channel) != 0;
    if (!left && !middle && !right)
        return STEP_KINDS;
    return !right ? LEFT_TWO : !left ? RIGHT_TWO : ALL_THREE;
}

/* An output's steps of one kind, of kernel rows `first` … `end` - 1; returns how many there are.
 * position: bytes behind the first of these rows, where the step before ended. */
static uint32_t put_steps(struct sparse_writer *writer, const struct psog_layer *layer, uint32_t output,
                          uint32_t kind, uint32_t first, uint32_t end, uint32_t *position)
{
    uint32_t pairs = psog_pairs(layer->in_channels), count = 0;
    for (uint32_t row = first; row < end; row++)
        for (uint32_t pair = 0; pair < pairs; pair++) {
            if (step_kind(layer, output, row, 2u * pair) != kind)
                continue;
            for (uint32_t column = kind == RIGHT_TWO; column < (kind == LEFT_TWO ? 2u : 3u); column++)
                put_word(writer, writer->heaviest ? HEAVIEST_PAIR
                                                  : weight_pair(layer, output, 3u * row + column, 2u * pair));
            uint32_t place = 4u * layer->columns * ((row - first) * pairs + pair);
            put_word(writer, place - *position);
            *position = place + PSOG_SPARSE_ADVANCE;
            count++;
        }
    return count;
}

static void put_list(struct sparse_writer *writer, const struct psog_layer *layer, enum psog_reach reach)
{
    uint32_t first = reach == PSOG_AT_TOP || reach == PSOG_SINGLE_ROW ? 1 : 0;
    uint32_t end = reach == PSOG_AT_BOTTOM || reach == PSOG_SINGLE_ROW ? 2 : 3;
    for (uint32_t output = 0; output < layer->out_channels; output++) {
        uint8_t *counts = writer->bytes + writer->size;
        uint32_t position = 0;
        put_word(writer, 0);
        for (uint32_t kind = 0; kind < STEP_KINDS; kind++)
            counts[kind] = (uint8_t)put_steps(writer, layer, output, kind, first, end, &position);
    }
}

/* A list for each reach that occurs; returns the bytes of all. */
static uint32_t pack_sparse(const struct psog_layer *layer, uint8_t *bytes, bool heaviest)
{
    struct sparse_writer writer = {bytes, 0, heaviest};
    for (uint32_t word = 0; word < PSOG_SPARSE_HEADER_BYTES / 4u; word++)
        put_word(&writer, 0);
    for (uint32_t row = 0; row < layer->out_rows; row++) {
        uint8_t *begin = bytes + 4u + 4u * psog_reach(layer, row);
        if (psog_get_u32(begin) != 0)
            continue;
        psog_put_u32(begin, writer.size);
        put_list(&writer, layer, psog_reach(layer, row));
    }
    psog_put_u32(bytes, writer.size);
    return writer.size;
}

#endif
