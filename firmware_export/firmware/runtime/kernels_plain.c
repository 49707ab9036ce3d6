/* The plain layers in C: the specification of every faster version (psog/net/arithmetic.py, to the bit). */
#include "bytes.h"
#include "layer.h"

/* On a core with kernels of its own only where a program wants something to compare them with. */
#if defined(PSOG_PLAIN_IS_REFERENCE) || (PSOG_RUNS_PLAIN && !defined(__ARM_FEATURE_MVE))

static int32_t dot(const int8_t *x, const int8_t *w, uint32_t count)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += x[i] * w[i];
    return sum;
}

/* The same with weights of four bits, a stretch of inputs at a time. Each product is sixteen times what it
 * should be, so that the weight's sign is its byte's. */
static int32_t dot_4(const int8_t *x, const int8_t *w, uint32_t count)
{
    const uint32_t half = PSOG_STRETCH / 2u;
    int32_t sum = 0;
    while (count > 0) {
        uint32_t near = count < half ? count : half;
        uint32_t far = count - near < half ? count - near : half;
        for (uint32_t i = 0; i < near; i++)
            sum += x[i] * (int8_t)((uint32_t)w[i] << 4);
        for (uint32_t i = 0; i < far; i++)
            sum += x[near + i] * (int8_t)(w[i] & 0xF0);
        x += near + far;
        w += near;
        count -= near + far;
    }
    return sum / 16;
}

/* x · multiplier · 2^(shift − 31) with TFLite's two roundings. The high half is rounded half up: TFLite's
 * sign-dependent nudge and truncating division come to the same. */
static int32_t requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    uint32_t left = shift > 0 ? (uint32_t)shift : 0;
    uint32_t right = shift < 0 ? (uint32_t)-shift : 0;
    int64_t product = (int64_t)(int32_t)((uint32_t)x << left) * multiplier;
    int32_t high = (int32_t)((product + (1 << 30)) >> 31);
    uint32_t mask = ((uint32_t)1 << right) - 1u;
    uint32_t threshold = (mask >> 1) + (high < 0 ? 1u : 0u);
    return (high >> right) + (((uint32_t)high & mask) > threshold ? 1 : 0);
}

/* Bias, requantization, zero point and activation of one output channel. Sums wrap: an image with absurd
 * biases gives absurd features, never undefined behaviour. */
static int8_t finish(const struct psog_layer *layer, uint32_t channel, int32_t sum)
{
    int32_t biased = (int32_t)((uint32_t)sum + psog_get_u32(layer->biases + 4u * channel) +
                               psog_get_u32(layer->corrections + 4u * channel));
    int32_t multiplier = psog_get_i32(layer->multipliers + 4u * channel);
    int32_t scaled = requantize(biased, multiplier, layer->shifts[channel]);
    int32_t low = layer->low - layer->out_zero;
    int32_t high = layer->high - layer->out_zero;
    int32_t clipped = scaled < low ? low : scaled > high ? high : scaled;
    return (int8_t)(clipped + layer->out_zero);
}

/* The 3×3 window at `row`, `column` of the padded input. */
static int32_t window(const struct psog_layer *layer, const int8_t *input, const int8_t *weights, int32_t row,
                      int32_t column)
{
    uint32_t channels = layer->in_channels;
    int32_t sum = 0;
    for (int32_t tap = 0; tap < (int32_t)PSOG_TAPS; tap++, weights += channels) {
        int32_t y = row + tap / 3;
        int32_t x = column + tap % 3;
        if (y < 0 || y >= layer->rows || x < 0 || x >= layer->columns)
            for (uint32_t i = 0; i < channels; i++)
                sum += layer->in_zero * weights[i];
        else
            sum += dot(input + (uint32_t)(y * layer->columns + x) * channels, weights, channels);
    }
    return sum;
}

void psog_convolve(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    int32_t border = layer->padding == PSOG_SAME ? 1 : 0;
    uint32_t stride = PSOG_TAPS * layer->in_channels;
    for (int32_t row = 0; row < layer->out_rows; row++)
        for (int32_t column = 0; column < layer->out_columns; column++)
            for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
                const int8_t *weights = layer->weights + channel * stride;
                int32_t sum = window(layer, input, weights, row - border, column - border);
                *output++ = finish(layer, channel, sum);
            }
}

/* Weights of four bits: the sum of an output times its factor. */
static void dense_4(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    uint32_t inputs = psog_layer_inputs(layer);
    const uint8_t *factors = (const uint8_t *)layer->weights;
    const int8_t *weights = layer->weights + psog_factor_bytes(layer);
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        uint32_t sum = (uint32_t)dot_4(input, weights, inputs) * factors[channel];
        output[channel] = finish(layer, channel, (int32_t)sum);
        weights += psog_plain4_row_bytes(inputs);
    }
}

void psog_dense(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    if (PSOG_IS(PSOG_DENSE_LAYERS, layer->packing, PSOG_PLAIN_4)) {
        dense_4(layer, input, output);
        return;
    }
    uint32_t inputs = psog_layer_inputs(layer);
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        int32_t sum = dot(input, layer->weights + channel * inputs, inputs);
        output[channel] = finish(layer, channel, sum);
    }
}
#endif
