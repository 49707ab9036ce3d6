/* The layers for cores with the DSP instructions of Armv7E-M (Cortex-M4, M7, M33): two products at once, and
 * the same bits as kernels_portable.c whatever an image holds.
 *
 * Four output channels are computed at once, so that inputs are loaded and widened once for four weights. A
 * 3×3 window is at most three stretches of bytes: the taps of a kernel row that lie inside the input are
 * neighbours there as they are among the weights. A dense layer is one long stretch. */
#include "bytes.h"
#include "layer.h"

#ifdef __ARM_FEATURE_SIMD32
#include <arm_acle.h>

#define BLOCK 4u /* output channels at once: with more, the sums do not fit into the registers */

/* What one output of every channel is computed from: `rows` stretches of `bytes` inputs each. */
struct window {
    const int8_t *input;   /* first stretch */
    const int8_t *weights; /* of output channel 0 */
    uint32_t rows, bytes;
    uint32_t input_pitch, weight_pitch; /* from one stretch to the next */
    uint32_t channel_pitch;             /* from the weights of one output channel to the next */
};

/* At any alignment: one LDR. */
static inline int8x4_t load_4(const int8_t *bytes)
{
    int8x4_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* A pair of the same 16 bits. */
static inline int16x2_t twice(int32_t value)
{
    return (int16x2_t)((uint32_t)(value & 0xFFFF) * 0x10001u);
}

/* Four inputs less their zero point, as two pairs of 16 bits: bytes 0 and 2, bytes 1 and 3. */
struct inputs {
    int16x2_t even, odd;
};

/* Partly in assembly: intrinsics have no rotation, which would cost another instruction. */
static inline struct inputs widen(int8x4_t word, int16x2_t minus_zero)
{
    struct inputs x = {.even = __sxtab16(minus_zero, word)};
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r"(x.odd) : "r"(minus_zero), "r"(word));
    return x;
}

/* In one piece, so that one register serves all weights: the compiler alone would put sums on the stack. */
static inline int32_t add_4_products(int32_t sum, int8x4_t weights, struct inputs x)
{
    int16x2_t pair;
    __asm("sxtb16 %1, %2\n\t"
          "smlad %0, %1, %3, %0\n\t"
          "sxtb16 %1, %2, ror #8\n\t"
          "smlad %0, %1, %4, %0"
          : "+&r"(sum), "=&r"(pair)
          : "r"(weights), "r"(x.even), "r"(x.odd));
    return sum;
}

/* Adds one stretch's products to the sums of four channels. An input less its zero point fits into 16 bits,
 * and the sum of the largest layer that an image may have into 32. */
static void add_products(int32_t sums[BLOCK], const int8_t *x, const int8_t *w, uint32_t channel_pitch,
                         uint32_t bytes, int32_t x_zero)
{
    const int8_t *end = x + bytes;
    const int8_t *last_word = end - bytes % 4u;
    const int8_t *w2 = w + 2u * channel_pitch;
    int16x2_t minus_zero = twice(-x_zero);
    int32_t sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
    while (x != last_word) {
        struct inputs inputs = widen(load_4(x), minus_zero);
        /* Channels 1 and 3 first: the loads of 0 and 2 can then move the pointers on. */
        sum1 = add_4_products(sum1, load_4(w + channel_pitch), inputs);
        sum0 = add_4_products(sum0, load_4(w), inputs);
        sum3 = add_4_products(sum3, load_4(w2 + channel_pitch), inputs);
        sum2 = add_4_products(sum2, load_4(w2), inputs);
        x += 4;
        w += 4;
        w2 += 4;
    }
    while (x != end) {
        int32_t input = *x++ - x_zero;
        sum1 += w[channel_pitch] * input;
        sum0 += *w++ * input;
        sum3 += w2[channel_pitch] * input;
        sum2 += *w2++ * input;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* x · multiplier / 2^31, rounded half up. A multiplier is 0 or in 2^30 … 2^31: twice of it is 0, or 2^32 and
 * a signed rest, and SMMLAR adds the rounded high half of the rest's product to x. Twice x could overflow. */
static inline int32_t multiply(int32_t x, int32_t multiplier)
{
    int32_t high, rest;
    __asm("lsl %1, %3, #1\n\t"
          "and %0, %2, %1, asr #31\n\t"
          "smmlar %0, %2, %1, %0"
          : "=&r"(high), "=&r"(rest)
          : "r"(x), "r"(multiplier));
    return high;
}

/* x · multiplier · 2^(shift − 31) with TFLite's two roundings. With one bit of the right shift held back,
 * the second (half away from zero) is an addition that cannot overflow: |high| is at most 2^31 − 1. */
static inline int32_t requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    uint32_t left = shift > 0 ? (uint32_t)shift : 0;
    int32_t high = multiply((int32_t)((uint32_t)x << left), multiplier);
    return shift < 0 ? (((high + (high >> 31)) >> (-shift - 1)) + 1) >> 1 : high;
}

/* Bias, requantization, zero point and activation of one output channel. */
static inline int8_t finish(const struct psog_layer *layer, uint32_t channel, int32_t sum)
{
    int32_t biased = (int32_t)((uint32_t)sum + psog_get_u32(layer->biases + 4u * channel));
    int32_t multiplier = psog_get_i32(layer->multipliers + 4u * channel);
    int32_t scaled = requantize(biased, multiplier, layer->shifts[channel]);
    int32_t low = layer->low - layer->out_zero;
    int32_t high = layer->high - layer->out_zero;
    int32_t clipped = scaled < low ? low : scaled > high ? high : scaled;
    return (int8_t)(clipped + layer->out_zero);
}

/* One output of every channel. */
static void compute(const struct psog_layer *layer, const struct window *window, int8_t *restrict output)
{
    uint32_t channels = layer->out_channels;
    /* Fewer channels than a block has are taken one by one, each as four equal ones. */
    uint32_t block = channels < BLOCK ? 1 : BLOCK;
    uint32_t pitch = channels < BLOCK ? 0 : window->channel_pitch;
    for (uint32_t channel = 0; channel < channels; channel += block) {
        /* The last block starts early, within the one before, rather than to end past the last channel. */
        uint32_t first = channel + block <= channels ? channel : channels - block;
        const int8_t *x = window->input;
        const int8_t *w = window->weights + first * window->channel_pitch;
        int32_t sums[BLOCK] = {0};
        for (uint32_t row = 0; row < window->rows; row++) {
            add_products(sums, x, w, pitch, window->bytes, layer->in_zero);
            x += window->input_pitch;
            w += window->weight_pitch;
        }
        for (uint32_t i = 0; i < block; i++)
            output[first + i] = finish(layer, first + i, sums[i]);
    }
}

/* Three taps from `start` on: the first that lies inside 0 … size − 1, and how many do. */
struct taps {
    uint32_t first, count;
};

static inline struct taps inside(int32_t start, int32_t size)
{
    int32_t from = start < 0 ? 0 : start;
    int32_t to = start + 3 < size ? start + 3 : size;
    return (struct taps){(uint32_t)(from - start), (uint32_t)(to - from)};
}

/* The stretches of the window at `row`, `column` of the padded input. */
static struct window window_at(const struct psog_layer *layer, const int8_t *input, int32_t row,
                               int32_t column)
{
    uint32_t channels = layer->in_channels;
    struct taps down = inside(row, layer->rows);
    struct taps right = inside(column, layer->columns);
    uint32_t cell = ((uint32_t)row + down.first) * layer->columns + (uint32_t)column + right.first;
    return (struct window){
        .input = input + cell * channels,
        .weights = layer->weights + (3u * down.first + right.first) * channels,
        .rows = down.count,
        .bytes = right.count * channels,
        .input_pitch = layer->columns * channels,
        .weight_pitch = 3u * channels,
        .channel_pitch = PSOG_TAPS * channels,
    };
}

/* One output of every channel from a single input channel, as in every first layer: stretches of three bytes
 * give SMLAD nothing to do, so the nine inputs are gathered, and widened once for all channels. */
static void compute_from_one(const struct psog_layer *layer, const struct window *window,
                             int8_t *restrict output)
{
    int8_t x[PSOG_TAPS];
    memset(x, layer->in_zero, sizeof x); /* outside the input: adds nothing */
    int8_t *to = x + (window->weights - layer->weights);
    const int8_t *from = window->input;
    for (uint32_t row = 0; row < window->rows; row++, to += 3, from += window->input_pitch)
        for (uint32_t i = 0; i < window->bytes; i++)
            to[i] = from[i];
    int16x2_t minus_zero = twice(-layer->in_zero);
    struct inputs first = widen(load_4(x), minus_zero);
    struct inputs second = widen(load_4(x + 4), minus_zero);
    int32_t last = x[8] - layer->in_zero;
    const int8_t *w = layer->weights;
    for (uint32_t channel = 0; channel < layer->out_channels; channel++, w += PSOG_TAPS) {
        int32_t sum = add_4_products(last * w[8], load_4(w), first);
        output[channel] = finish(layer, channel, add_4_products(sum, load_4(w + 4), second));
    }
}

void psog_convolve(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    int32_t border = layer->padding == PSOG_SAME ? 1 : 0;
    for (int32_t row = 0; row < layer->out_rows; row++)
        for (int32_t column = 0; column < layer->out_columns; column++) {
            const struct window window = window_at(layer, input, row - border, column - border);
            if (layer->in_channels == 1)
                compute_from_one(layer, &window, output);
            else
                compute(layer, &window, output);
            output += layer->out_channels;
        }
}

void psog_dense(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    uint32_t inputs = psog_layer_inputs(layer);
    const struct window window = {
        .input = input, .weights = layer->weights, .rows = 1, .bytes = inputs, .channel_pitch = inputs};
    compute(layer, &window, output);
}
#endif
