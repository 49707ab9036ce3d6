/* The plain layers for cores with MVE (Cortex-M55, M85): sixteen products at once, and the same bits as
 * kernels_plain.c whatever an image holds. Nothing outside a layer's arrays is read or written.
 *
 * Three ways, by where weights can stay:
 * - Dense layers take four outputs at once, so that inputs are loaded once for four weights.
 * - Convolutions of few channels, as every first layer is one, have windows that fit into a vector or two.
 *   Four outputs' weights stay in registers; a window is gathered by one load from the input with its border.
 * - Any other convolution keeps a kernel row's weights of two outputs in registers, and inputs slide past.
 *
 * Requantization: VQRDMULH rounds half up, as the first of TFLite's two roundings does. The second, half away
 * from zero, is VRSHL's half up of a negative value less one. Where nothing is shifted right, the shift masks
 * the sign and nothing is added. It cannot overflow: VQRDMULH gives at least −(2^31 − 1). Zero point and
 * saturation to eight bits follow; a layer with narrower limits is limited at its end. */
#include "kernels_mve.h"

#ifdef __ARM_FEATURE_MVE
#include <arm_mve.h>
#include <string.h>

#define NOT_INLINED __attribute__((noinline, noclone)) /* smaller, and less on the stack */
#define MOST_CELLS 16u   /* outputs of a channel that are summed together, unless a row has more */
#define MOST_PADDED 256u /* bytes of an input of few channels with its border */

static const int32_t *words(const uint8_t *bytes)
{
    return (const int32_t *)(const void *)bytes;
}

static uint32_t shifts_left(const struct psog_layer *layer)
{
    int8_t most = INT8_MIN;
    for (uint32_t i = 0; i < layer->out_channels; i += PSOG_VECTOR) {
        mve_pred16_t valid = vctp8q(layer->out_channels - i);
        most = vmaxvq_p_s8(most, vldrbq_z_s8(layer->shifts + i, valid), valid);
    }
    return most > 0;
}

/* An inner loop of kernels_mve.S: computes all blocks. */
typedef void (*kernel)(struct psog_blocks *blocks);

/* `count` blocks from `channel` on; blocks->output is that of channel 0. The kernel comes last, when this has
 * left the stack. */
NOT_INLINED static void run_blocks(kernel kernel, struct psog_blocks *blocks, const struct psog_layer *layer,
                                   uint32_t channel)
{
    blocks->weights = layer->weights + channel * blocks->pitch;
    blocks->biases = words(layer->biases) + channel;
    blocks->corrections = words(layer->corrections) + channel;
    blocks->multipliers = words(layer->multipliers) + channel;
    blocks->shifts = layer->shifts + channel;
    blocks->output += channel;
    blocks->shifts_left = shifts_left(layer);
    blocks->zero = layer->out_zero;
    kernel(blocks);
}

/* All channels in blocks of `size`, of which there is at least one. The last block begins early, within the
 * one before, rather than to end past the last channel. */
static void run(kernel kernel, struct psog_blocks *blocks, const struct psog_layer *layer, int8_t *output,
                uint32_t size)
{
    uint32_t out = layer->out_channels;
    blocks->output = output;
    blocks->count = out / size;
    run_blocks(kernel, blocks, layer, 0);
    if (out % size == 0)
        return;
    blocks->output = output;
    blocks->count = 1;
    run_blocks(kernel, blocks, layer, out - size);
}

/* One channel in a block of its own, every lane of which computes it; blocks->output is where. */
NOT_INLINED static void run_alone(kernel kernel, struct psog_blocks *blocks, const struct psog_layer *layer,
                                  uint32_t channel)
{
    int32_t biases[PSOG_LANES], corrections[PSOG_LANES], multipliers[PSOG_LANES];
    int8_t shifts[PSOG_LANES];
    struct psog_layer alone = *layer;
    for (uint32_t i = 0; i < PSOG_LANES; i++) {
        biases[i] = words(layer->biases)[channel];
        corrections[i] = words(layer->corrections)[channel];
        multipliers[i] = words(layer->multipliers)[channel];
        shifts[i] = layer->shifts[channel];
    }
    alone.weights += channel * blocks->pitch;
    alone.biases = (const uint8_t *)biases;
    alone.corrections = (const uint8_t *)corrections;
    alone.multipliers = (const uint8_t *)multipliers;
    alone.shifts = shifts;
    alone.out_channels = 1;
    uint32_t pitch = blocks->pitch;
    blocks->pitch = 0;
    blocks->count = 1;
    run_blocks(kernel, blocks, &alone, 0);
    blocks->pitch = pitch;
}

/* The activation, where it is more than saturation. */
static void limit(const struct psog_layer *layer, int8_t *output)
{
    if (layer->low == INT8_MIN && layer->high == INT8_MAX)
        return;
    uint32_t count = psog_layer_outputs(layer);
    int8x16_t low = vdupq_n_s8(layer->low), high = vdupq_n_s8(layer->high);
    for (uint32_t i = 0; i < count; i += PSOG_VECTOR) {
        mve_pred16_t valid = vctp8q(count - i);
        int8x16_t values = vldrbq_z_s8(output + i, valid);
        vstrbq_p_s8(output + i, vminq_s8(vmaxq_s8(values, low), high), valid);
    }
}

/* ---- Dense layers --------------------------------------------------------------------------------- */

void psog_dense(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    if (PSOG_IS(PSOG_DENSE_LAYERS, layer->packing, PSOG_PLAIN_4)) {
        psog_dense_4(layer, input, output);
        return;
    }
    struct psog_dense_mve dense;
    int8_t same[PSOG_LANES];
    dense.input = input;
    dense.inputs = dense.blocks.pitch = psog_layer_inputs(layer);
    if (layer->out_channels >= PSOG_LANES)
        run(psog_dense_blocks, &dense.blocks, layer, output, PSOG_LANES);
    else
        for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
            dense.blocks.output = same;
            run_alone(psog_dense_blocks, &dense.blocks, layer, channel);
            output[channel] = same[0];
        }
    limit(layer, output);
}

/* ---- Convolutions of few channels ------------------------------------------------------------------ */

/* Bytes from row to row of an input with its border, if it has one. */
static uint32_t padded_pitch(const struct psog_layer *layer)
{
    return (layer->columns + (layer->padding == PSOG_SAME ? 2u : 0)) * layer->in_channels;
}

static uint32_t padded_bytes(const struct psog_layer *layer)
{
    return layer->padding == PSOG_SAME ? (layer->rows + 2u) * padded_pitch(layer) : 0;
}

/* Returns `padded`, with the input in its middle. */
NOT_INLINED static const int8_t *pad(const struct psog_layer *layer, const int8_t *input, int8_t *padded)
{
    const int8_t *begin = padded;
    uint32_t bytes = layer->columns * layer->in_channels, all = padded_bytes(layer);
    int8x16_t outside = vdupq_n_s8(layer->in_zero);
    for (uint32_t i = 0; i < all; i += PSOG_VECTOR)
        vstrbq_p_s8(padded + i, outside, vctp8q(all - i));
    padded += padded_pitch(layer) + layer->in_channels;
    for (uint32_t row = 0; row < layer->rows; row++, input += bytes, padded += padded_pitch(layer))
        for (uint32_t i = 0; i < bytes; i += PSOG_VECTOR) {
            mve_pred16_t valid = vctp8q(bytes - i);
            vstrbq_p_s8(padded + i, vldrbq_z_s8(input + i, valid), valid);
        }
    return begin;
}

/* Where the bytes of a window lie, from its first on. */
static void set_places(uint8_t places[2u * PSOG_VECTOR], uint32_t stretch, uint32_t pitch)
{
    uint8x16_t first = vdupq_n_u8(0); /* beyond a window: any of its bytes, for weights that are zero */
    vst1q_u8(places, first);
    vst1q_u8(places + PSOG_VECTOR, first);
    for (uint32_t row = 0, place = 0; row < 3u; row++, place += pitch, places += stretch)
        vstrbq_p_u8(places, vidupq_n_u8(place, 1), vctp8q(stretch));
}

/* Whether two vectors hold a window, whose bytes are less than 256 apart, and nothing else is in the way. */
static bool has_small_windows(const struct psog_layer *layer)
{
    uint32_t stretch = 3u * layer->in_channels;
    return 3u * stretch <= 2u * PSOG_VECTOR && 2u * padded_pitch(layer) + stretch <= UINT8_MAX + 1u &&
           padded_bytes(layer) <= MOST_PADDED && layer->out_channels >= PSOG_LANES && !shifts_left(layer);
}

NOT_INLINED static void set_windows(struct psog_windows_mve *windows, const struct psog_layer *layer,
                                    const int8_t *input)
{
    uint32_t in = layer->in_channels;
    windows->input = input;
    windows->bytes = windows->blocks.pitch = PSOG_TAPS * in;
    windows->columns = layer->out_columns;
    windows->rows = layer->out_rows;
    windows->step = in;
    windows->row_skip = padded_pitch(layer) - layer->out_columns * in;
    windows->blocks.out_step = layer->out_channels;
    set_places(windows->places, 3u * in, padded_pitch(layer));
}

static void convolve_windows(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    int8_t padded[padded_bytes(layer) + 1u];
    struct psog_windows_mve windows;
    if (layer->padding == PSOG_SAME)
        input = pad(layer, input, padded);
    set_windows(&windows, layer, input);
    run(psog_convolve_windows, &windows.blocks, layer, output, PSOG_LANES);
    limit(layer, output);
}

/* ---- Other convolutions ---------------------------------------------------------------------------- */

/* Rows of outputs whose sums are kept together. */
static uint32_t rows_together(const struct psog_layer *layer)
{
    uint32_t most = layer->out_columns < MOST_CELLS ? MOST_CELLS / layer->out_columns : 1;
    return layer->out_rows < most ? layer->out_rows : most;
}

/* Rows of outputs from `first` on, as many as are summed together: what of the input each kernel row meets in
 * them. */
NOT_INLINED static void set_turns(struct psog_pairs_mve *pairs, const struct psog_layer *layer,
                                  const int8_t *input, uint32_t first)
{
    uint32_t padded = layer->padding == PSOG_SAME ? 1 : 0;
    uint32_t pitch = layer->columns * layer->in_channels;
    uint32_t row_sums = 2u * layer->out_columns;
    uint32_t left = layer->out_rows - first, most = rows_together(layer), rows = left < most ? left : most;
    pairs->values = row_sums * rows;
    for (uint32_t i = 0; i < 3u; i++) {
        uint32_t above = padded && i == 0 && first == 0;
        uint32_t below = padded && i == 2u && rows == left;
        pairs->turn[i].input = input + (first + above + i - padded) * pitch;
        pairs->turn[i].sums = pairs->sums + above * row_sums;
        pairs->turn[i].rows = rows - above - below;
        pairs->turn[i].outside = above ? pairs->sums : below ? pairs->sums + (rows - 1u) * row_sums : NULL;
    }
}

NOT_INLINED static void set_pairs(struct psog_pairs_mve *pairs, const struct psog_layer *layer, int32_t *sums)
{
    const uint32_t out = layer->out_channels, odd = out > 1u ? 1u : 0;
    const uint8_t columns = layer->out_columns, inner = (uint8_t)(columns > 2u ? columns - 2u : 0);
    pairs->blocks.pitch = PSOG_TAPS * layer->in_channels;
    pairs->blocks.out_step = 2u * out;
    pairs->channels = layer->in_channels;
    pairs->outside = layer->in_zero;
    pairs->reads_edges = layer->padding != PSOG_SAME;
    pairs->cells = columns;
    pairs->singles = (uint8_t)(inner % 3u);
    pairs->triples = (uint8_t)(inner / 3u);
    pairs->sums = sums;
    pairs->places[0] = 0;
    pairs->places[1] = odd;
    pairs->places[2] = out;
    pairs->places[3] = out + odd;
}

static void convolve_pairs(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    uint32_t beyond = layer->out_columns == 1 ? 2u : 0; /* what the next column would have, is touched */
    int32_t sums[2u * layer->out_columns * rows_together(layer) + beyond];
    struct psog_pairs_mve pairs;
    set_pairs(&pairs, layer, sums);
    for (uint32_t row = 0; row < layer->out_rows; row += rows_together(layer)) {
        int8_t *to = output + row * layer->out_columns * layer->out_channels;
        set_turns(&pairs, layer, input, row);
        pairs.blocks.output = to;
        if (layer->out_channels > 1u)
            run(psog_convolve_pairs, &pairs.blocks, layer, to, 2);
        else
            run_alone(psog_convolve_pairs, &pairs.blocks, layer, 0);
    }
    limit(layer, output);
}

void psog_convolve(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    (has_small_windows(layer) ? convolve_windows : convolve_pairs)(layer, input, output);
}
#endif
