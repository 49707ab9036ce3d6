/* Compares a core's kernels with kernels_plain.c, bit for bit, on random layers with every corner that an
 * image may hold. Semihosting command line: SEED CASES. A case is a function of seed and number alone.
 *
 * kernel_check.out: struct result.
 *
 * One array of each case ends where RAM does: who reads beyond it faults, if nothing answers there
 * (mps2-an505, mps3-an547). Around the outputs lie bytes that must not change. */
#include <stdlib.h>
#include <string.h>

#include "layer.h"
#include "semihosting.h"
#if !PSOG_RUNS_PLAIN
#include "kernel_check_paired.h"
#endif

/* The specification, under other names. */
#define PSOG_PLAIN_IS_REFERENCE
#define psog_convolve reference_convolve
#define psog_dense reference_dense
#include "kernels_plain.c"
#undef psog_convolve
#undef psog_dense

enum exit_code { DONE = 0, NO_INPUT = 2, NO_OUTPUT = 4 };

struct result {
    uint32_t cases, different;
    uint32_t first; /* number of the first case that differs */
};

#define MOST_INPUTS 2048u
#define MOST_OUTPUTS 2048u
#define MOST_WEIGHTS 12288u
#define MOST_CHANNELS 64u
#define MOST_PACKED_BYTES (4u * (MOST_WEIGHTS + 16u * MOST_CHANNELS))
#define MOST_PACKED_WORDS (MOST_INPUTS + 8u)
#define GUARD 32u
#define GUARD_BYTE 0x5A

extern uint8_t link_ram_end[];

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
    uint32_t fan_in, bytes[ARRAYS];
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
    layer->columns = (uint8_t)between((int32_t)least, one_in(10) ? 32 : 9);
    layer->in_channels = random_channels();
    layer->out_channels = random_channels();
    uint8_t lost = layer->padding == PSOG_SAME ? 0 : 2;
    layer->out_rows = layer->kind == PSOG_DENSE ? 1 : (uint8_t)(layer->rows - lost);
    layer->out_columns = layer->kind == PSOG_DENSE ? 1 : (uint8_t)(layer->columns - lost);
    test.fan_in = layer->kind == PSOG_DENSE ? psog_layer_inputs(layer) : PSOG_TAPS * layer->in_channels;
    if (!PSOG_RUNS_PLAIN && layer->kind == PSOG_CONVOLUTION && layer->out_channels < 2u)
        return false;
    return psog_layer_inputs(layer) <= MOST_INPUTS && psog_layer_outputs(layer) <= MOST_OUTPUTS &&
           layer->out_channels * test.fan_in <= MOST_WEIGHTS;
}

/* Where the arrays lie: one of them at the end of RAM, the others one behind the other. */
static void place(struct psog_layer *layer)
{
    uint32_t out = layer->out_channels;
    const uint32_t bytes[ARRAYS] = {
        psog_layer_inputs(layer), out * test.fan_in, 4u * out, 4u * out, 4u * out, out};
    uint32_t last = PSOG_RUNS_PLAIN ? random_32() % ARRAYS : ARRAYS; /* packed ones go there otherwise */
    uint8_t *next = test.elsewhere;
    for (uint32_t i = 0; i < ARRAYS; i++) {
        test.bytes[i] = bytes[i];
        uint32_t unit = i == INPUT ? 1u : 4u; /* activations at the far end of their buffer lie anywhere */
        if (i == last) {
            test.at[i] = link_ram_end - (bytes[i] + unit - 1u) / unit * unit;
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

static int8_t random_zero(void)
{
    static const int8_t usual[] = {-128, -127, -1, 0, 1, 127};
    return one_in(2) ? usual[random_32() % sizeof usual] : (int8_t)between(-128, 127);
}

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
    choose_requantization(layer);
    adapt(layer);
}

/* ---- Both kernels ---- */

static void run_reference(int8_t *output)
{
    const int8_t *input = (const int8_t *)test.at[INPUT];
    (test.layer.kind == PSOG_DENSE ? reference_dense : reference_convolve)(&test.layer, input, output);
}

/* Each packing comes as a pair of these: what makes a random layer one that it can hold, and the layer's
 * outputs as the core's kernels compute them. */
#if PSOG_RUNS_PLAIN
static void adapt(struct psog_layer *layer)
{
    (void)layer;
}

static void run_core(int8_t *output)
{
    const int8_t *input = (const int8_t *)test.at[INPUT];
    (test.layer.kind == PSOG_DENSE ? psog_dense : psog_convolve)(&test.layer, input, output);
}
#else
static uint8_t packed_weights[MOST_PACKED_BYTES] __attribute__((aligned(4)));
static uint8_t packed_requantization[8u * MOST_CHANNELS] __attribute__((aligned(4)));
static uint32_t packed_inputs[MOST_PACKED_WORDS], packed_outputs[MOST_PACKED_WORDS];

static void adapt(struct psog_layer *layer)
{
    layer->out_zero = layer->low = PSOG_PAIRED_ZERO;
    layer->high = 127;
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        if (layer->shifts[channel] >= 0)
            test.at[SHIFTS][channel] = (uint8_t)-1;
        if (psog_get_u32(layer->multipliers + 4u * channel) == 0)
            psog_put_u32(test.at[MULTIPLIERS] + 4u * channel, 1u << 30);
    }
}

static void run_core(int8_t *output)
{
    struct psog_layer layer = test.layer;
    bool in_fours = layer.kind == PSOG_DENSE || psog_pairs(layer.in_channels) % 2u == 0;
    layer.packing = in_fours && one_in(2) ? PSOG_PAIRED_8 : PSOG_PAIRED_16;
    struct packer packer = {.packing = layer.packing, .bytes = packed_weights};
    (layer.kind == PSOG_DENSE ? pack_dense : pack_convolution)(&layer, &packer);
    pack_requantization(&layer, packed_requantization);
    layer.multipliers = packed_requantization;
    uint32_t weight_bytes = PSOG_PAIR_BYTES(layer.packing) * packer.pairs;
    uint32_t words = input_words(&layer);
    for (uint32_t i = 0; i < words; i++)
        packed_inputs[i] = random_32();
    place_inputs(&layer, (const int8_t *)test.at[INPUT], (int16_t *)packed_inputs);
    /* One of both ends where RAM does. */
    uint8_t *weights = packed_weights;
    uint32_t *input = packed_inputs;
    if (one_in(2))
        weights = memcpy(link_ram_end - weight_bytes, packed_weights, weight_bytes);
    else
        input = memcpy(link_ram_end - 4u * words, packed_inputs, 4u * words);
    layer.weights = (const int8_t *)weights;
    if (layer.kind == PSOG_DENSE)
        psog_dense_paired(&layer, input, packed_outputs);
    else
        psog_convolve_paired(&layer, input, packed_outputs, one_in(2));
    take_outputs(&layer, (const int16_t *)packed_outputs, output);
}
#endif

static bool same(uint32_t seed, uint32_t number)
{
    state = seed * 0x01000193u ^ number * 0x85EBCA77u;
    choose_layer();
    uint32_t offset = GUARD - random_32() % 4u; /* outputs may lie at any address */
    memset(test.expected, GUARD_BYTE, sizeof test.expected);
    memset(test.found, GUARD_BYTE, sizeof test.found);
    run_reference((int8_t *)test.expected + offset);
    run_core((int8_t *)test.found + offset);
    return memcmp(test.expected, test.found, sizeof test.expected) == 0;
}

int main(void)
{
    char line[SEMIHOSTING_PATH_BYTES];
    if (!semihosting_command_line(line, sizeof line))
        return NO_INPUT;
    char *rest = line;
    uint32_t seed = strtoul(rest, &rest, 10), cases = strtoul(rest, &rest, 10);
    struct result result = {.cases = cases};
    for (uint32_t number = 0; number < cases; number++)
        if (!same(seed, number) && result.different++ == 0)
            result.first = number;
    return semihosting_write_file("kernel_check.out", &result, sizeof result) ? DONE : NO_OUTPUT;
}
