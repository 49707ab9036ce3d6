/* Random layers of kernel_check.c. */
#ifndef KERNEL_CHECK_LAYER_H
#define KERNEL_CHECK_LAYER_H

#include "bytes.h"
#include "kernel_check.h"

#define MOST_INPUTS 2048u
#define MOST_OUTPUTS 2048u
#define MOST_WEIGHTS 12288u
#define MOST_CHANNELS 64u
#define GUARD 32u
#define GUARD_BYTE 0x5A

/* ---- Random numbers: SplitMix32, whose state after the seed depends on the case alone ---- */

static uint32_t state;

static uint32_t random_32(void)
{
    uint32_t z = state += 0x9E3779B9u;
    z = (z ^ (z >> 16)) * 0x85EBCA6Bu;
    z = (z ^ (z >> 13)) * 0xC2B2AE35u;
    return z ^ (z >> 16);
}

/* Between both, inclusive. */
static int32_t between(int32_t low, int32_t high)
{
    return low + (int32_t)(random_32() % (uint32_t)(high - low + 1));
}

static bool one_in(uint32_t count)
{
    return random_32() % count == 0;
}

/* ---- A random layer ---- */

enum array { INPUT, WEIGHTS, BIASES, CORRECTIONS, MULTIPLIERS, SHIFTS, ARRAYS };

static struct {
    struct psog_layer layer;
    uint32_t fan_in, bytes[ARRAYS], last; /* the array at the end of memory */
    bool coarse; /* whether four bits hold its weights, as multiples of these */
    uint8_t factors[MOST_CHANNELS];
    uint8_t *at[ARRAYS];
    uint8_t expected[MOST_OUTPUTS + 2u * GUARD], found[MOST_OUTPUTS + 2u * GUARD];
    uint8_t elsewhere[MOST_INPUTS + MOST_WEIGHTS + 13u * MOST_CHANNELS + 4u * ARRAYS];
} test;

static uint16_t random_channels(void)
{
    static const uint8_t usual[] = {1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 48, MOST_CHANNELS};
    return one_in(2) ? usual[random_32() % sizeof usual] : (uint16_t)between(1, 40);
}

/* Kind and shape; false when it is too large. */
static bool choose_shape(struct psog_layer *layer)
{
    layer->kind = one_in(3) ? PSOG_DENSE : PSOG_CONVOLUTION;
    layer->padding = layer->kind == PSOG_CONVOLUTION && !one_in(3) ? PSOG_SAME : PSOG_VALID;
    uint32_t least = layer->kind == PSOG_CONVOLUTION && layer->padding == PSOG_VALID ? 3 : 1;
    layer->rows = (uint8_t)between((int32_t)least, 7);
    layer->columns = (uint8_t)between((int32_t)least, one_in(10) ? 32 : 12);
    layer->in_channels = random_channels();
    layer->out_channels = random_channels();
    uint8_t lost = layer->padding == PSOG_SAME ? 0 : 2;
    layer->out_rows = layer->kind == PSOG_DENSE ? 1 : (uint8_t)(layer->rows - lost);
    layer->out_columns = layer->kind == PSOG_DENSE ? 1 : (uint8_t)(layer->columns - lost);
    test.fan_in = layer->kind == PSOG_DENSE ? psog_layer_inputs(layer) : PSOG_TAPS * layer->in_channels;
    if (PSOG_RUNS_PAIRED && layer->kind == PSOG_CONVOLUTION && layer->out_channels < 2u)
        return false;
    return psog_layer_inputs(layer) <= MOST_INPUTS && psog_layer_outputs(layer) <= MOST_OUTPUTS &&
           layer->out_channels * test.fan_in <= MOST_WEIGHTS;
}

/* Where the arrays lie: one of them at the end of memory, the others one behind the other. */
static void place(struct psog_layer *layer)
{
    uint32_t out = layer->out_channels;
    const uint32_t bytes[ARRAYS] = {
        psog_layer_inputs(layer), out * test.fan_in, 4u * out, 4u * out, 4u * out, out};
    test.last = PSOG_RUNS_PAIRED ? ARRAYS : random_32() % ARRAYS; /* packed ones go there otherwise */
    uint8_t *next = test.elsewhere;
    for (uint32_t i = 0; i < ARRAYS; i++) {
        test.bytes[i] = bytes[i];
        uint32_t unit = i == INPUT ? 1u : 4u; /* activations at the far end of their buffer lie anywhere */
        if (i == test.last) {
            test.at[i] = kernel_check_edge((bytes[i] + unit - 1u) / unit * unit);
        } else {
            test.at[i] = next;
            next += (bytes[i] + 3u) & ~3u;
        }
    }
    layer->weights = (const int8_t *)test.at[WEIGHTS];
    layer->biases = test.at[BIASES];
    layer->corrections = test.at[CORRECTIONS];
    layer->multipliers = test.at[MULTIPLIERS];
    layer->shifts = (const int8_t *)test.at[SHIFTS];
}

/* Anything, the ends of the range, or little else than zeros. */
static void fill(enum array array)
{
    uint32_t kind = random_32() % 4u;
    for (uint32_t i = 0; i < test.bytes[array]; i++) {
        int32_t value = between(-128, 127);
        if (kind == 0)
            value = one_in(2) ? -128 : 127;
        if (kind == 1 && !one_in(10))
            value = 0;
        test.at[array][i] = (uint8_t)value;
    }
}

/* Most sums reach int8 with their rounding visible; some saturate, some wrap, some vanish. */
static void choose_requantization(const struct psog_layer *layer)
{
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        int32_t bits = between(0, 31), bias = (int32_t)random_32() >> (31 - bits), sum = 0;
        int32_t multiplier = (int32_t)(random_32() % (1u << 30)) + (1 << 30);
        if (one_in(8))
            multiplier = one_in(2) ? 0 : one_in(2) ? INT32_MAX : 1 << 30;
        int32_t shift = one_in(3) ? between(-31, 7) : 8 - (bits < 12 ? 12 : bits) + between(-2, 2);
        if (one_in(10))
            bias = one_in(2) ? INT32_MIN : INT32_MAX;
        if (one_in(20)) { /* nearly unchanged: the zero point itself could overflow */
            multiplier = INT32_MAX;
            shift = 0;
        }
        for (uint32_t i = 0; i < test.fan_in; i++)
            sum += layer->weights[channel * test.fan_in + i];
        psog_put_u32(test.at[BIASES] + 4u * channel, (uint32_t)bias);
        psog_put_u32(test.at[CORRECTIONS] + 4u * channel, (uint32_t)(-layer->in_zero * sum));
        psog_put_u32(test.at[MULTIPLIERS] + 4u * channel, (uint32_t)multiplier);
        test.at[SHIFTS][channel] = (uint8_t)(shift < -31 ? -31 : shift > 7 ? 7 : shift);
    }
    if (one_in(2)) /* as training makes them: to the right alone */
        for (uint32_t channel = 0; channel < layer->out_channels; channel++)
            if (layer->shifts[channel] > 0)
                test.at[SHIFTS][channel] = 0;
}

/* Leaves 0 … 9 weights of each kernel, at most as many as the layer allows. */
static void prune(struct psog_layer *layer)
{
    uint32_t most = random_32() % (PSOG_TAPS + 1u), in = layer->in_channels;
    for (uint32_t kernel = 0; kernel < layer->out_channels * in; kernel++) {
        int8_t *weights = (int8_t *)test.at[WEIGHTS] + kernel / in * PSOG_TAPS * in + kernel % in;
        uint32_t left = one_in(2) ? most : random_32() % (most + 1u);
        for (uint32_t tap = 0; tap < PSOG_TAPS; tap++) {
            bool stays = random_32() % (PSOG_TAPS - tap) < left;
            left -= stays;
            if (!stays)
                weights[tap * in] = 0;
        }
    }
}

/* The largest factor with which an output's multiples, −8 … 7, are int8. */
static int32_t most_factor(bool lowest)
{
    return lowest ? 16 : 18;
}

/* Makes every weight a multiple, between −8 and 7, of a factor of its output. */
static void coarsen(const struct psog_layer *layer)
{
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        int8_t *weights = (int8_t *)test.at[WEIGHTS] + channel * test.fan_in;
        bool lowest = one_in(2); /* has −8 */
        int32_t factor = one_in(3) ? most_factor(lowest) : between(1, most_factor(lowest));
        test.factors[channel] = (uint8_t)factor;
        for (uint32_t i = 0; i < test.fan_in; i++) {
            int32_t multiple = weights[i] >> 4;
            weights[i] = (int8_t)(factor * (multiple < -7 && !lowest ? -7 : multiple));
        }
    }
}

static int8_t random_zero(void)
{
    static const int8_t usual[] = {-128, -127, -1, 0, 1, 127};
    return one_in(2) ? usual[random_32() % sizeof usual] : (int8_t)between(-128, 127);
}

/* Makes it a layer that the core can hold. */
static void adapt(struct psog_layer *layer);

static void choose_layer(void)
{
    struct psog_layer *layer = &test.layer;
    while (!choose_shape(layer))
        ;
    place(layer);
    layer->in_zero = random_zero();
    layer->out_zero = random_zero();
    layer->low = one_in(4) ? (int8_t)between(-128, 127) : -128;
    layer->high = one_in(4) ? (int8_t)between(layer->low, 127) : 127;
    fill(INPUT);
    fill(WEIGHTS);
    if (layer->kind == PSOG_CONVOLUTION && !one_in(3))
        prune(layer);
    test.coarse = layer->kind == PSOG_DENSE && one_in(3);
    if (test.coarse)
        coarsen(layer);
    choose_requantization(layer);
    adapt(layer);
}

#endif
