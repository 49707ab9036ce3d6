/* The check of kernels: random layers, and both kernels for each. One array of each case ends where memory
 * does (kernel_check_edge). Around the outputs lie bytes that must not change.
 *
 * Where a core runs paired layers, these are what is compared; a computer's plain kernels are the
 * specification itself. */
#include <string.h>

#include "kernel_check_int4.h"
#include "kernel_check_layer.h"
#if PSOG_RUNS_PAIRED
#include "kernel_check_paired.h"
#include "kernel_check_sparse.h"
#endif

/* The specification, under other names. */
#define PSOG_PLAIN_IS_REFERENCE
#define psog_convolve reference_convolve
#define psog_dense reference_dense
#include "kernels_plain.c"
#undef psog_convolve
#undef psog_dense

static void run_reference(int8_t *output)
{
    const int8_t *input = (const int8_t *)test.at[INPUT];
    (test.layer.kind == PSOG_DENSE ? reference_dense : reference_convolve)(&test.layer, input, output);
}

/* What the core runs comes as a pair of these: what makes a random layer one that it can hold; and the
 * layer's outputs as the core's kernels compute them, false if they did something else that they must not. */
#if !PSOG_RUNS_PAIRED
static void adapt(struct psog_layer *layer)
{
    (void)layer;
}

static bool run_core(int8_t *output, struct kernel_check *result)
{
    const int8_t *input = (const int8_t *)test.at[INPUT];
    struct psog_layer layer = test.layer;
    if (test.coarse) {
        static uint8_t packed[MOST_WEIGHTS / 2u + PSOG_STRETCH * MOST_CHANNELS] __attribute__((aligned(4)));
        uint32_t bytes = pack_plain_4(&test.layer, packed);
        layer.packing = PSOG_PLAIN_4;
        layer.weights = (const int8_t *)packed;
        if (test.last == WEIGHTS)
            layer.weights = memcpy(kernel_check_edge(bytes), packed, bytes);
    }
    (layer.kind == PSOG_DENSE ? psog_dense : psog_convolve)(&layer, input, output);
    result->packed[layer.packing]++;
    return true;
}
#else
/* Sparse lists are the longest: of 3, 2 and 2 kernel rows, with 16 bytes for each pair of channels, which is
 * 56 bytes for nine weights; and, for each output, as much for an odd channel's partner, and three counts. */
#define MOST_PACKED_BYTES (7u * MOST_WEIGHTS + 128u * MOST_CHANNELS)
#define MOST_PACKED_WORDS (MOST_INPUTS + 8u)

static struct {
    uint8_t weights[MOST_PACKED_BYTES] __attribute__((aligned(4)));
    uint8_t requantization[8u * MOST_CHANNELS] __attribute__((aligned(4)));
    uint32_t inputs[MOST_PACKED_WORDS], outputs[GUARD + MOST_PACKED_WORDS + GUARD];
    uint32_t weight_bytes, input_bytes;
} packed;

static void adapt(struct psog_layer *layer)
{
    bool sparse = layer->kind == PSOG_CONVOLUTION && one_in(2);
    bool in_fours = layer->kind == PSOG_DENSE || psog_pairs(layer->in_channels) % 2u == 0;
    layer->packing = sparse ? PSOG_SPARSE : in_fours && one_in(2) ? PSOG_PAIRED_8 : PSOG_PAIRED_16;
    if (test.coarse)
        layer->packing = PSOG_PAIRED_4;
    layer->out_zero = layer->low = PSOG_PAIRED_ZERO;
    layer->high = 127;
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        if (layer->shifts[channel] >= 0)
            test.at[SHIFTS][channel] = (uint8_t)-1;
        if (psog_get_u32(layer->multipliers + 4u * channel) == 0)
            psog_put_u32(test.at[MULTIPLIERS] + 4u * channel, 1u << 30);
    }
}

static void pack(const struct psog_layer *layer)
{
    uint32_t factors = layer->packing == PSOG_PAIRED_4 ? put_factors(layer, packed.weights) : 0;
    struct packer packer = {.packing = layer->packing, .bytes = packed.weights + factors};
    if (layer->packing == PSOG_SPARSE)
        packed.weight_bytes = pack_sparse(layer, packed.weights, false);
    else
        (layer->kind == PSOG_DENSE ? pack_dense : pack_convolution)(layer, &packer);
    if (layer->packing != PSOG_SPARSE)
        packed.weight_bytes = factors + PSOG_PAIR_BYTES(layer->packing) * packer.pairs;
    pack_requantization(layer, packed.requantization);
    uint32_t words = input_words(layer);
    packed.input_bytes = 4u * words;
    for (uint32_t i = 0; i < words; i++)
        packed.inputs[i] = random_32();
    place_inputs(layer, (const int8_t *)test.at[INPUT], (int16_t *)packed.inputs);
}

static bool untouched(const uint32_t *from, const uint32_t *end)
{
    while (from < end && *from == GUARD_BYTE * 0x01010101u)
        from++;
    return from == end;
}

/* Runs packed weights, which may be no layer's any more; false if words beside the outputs have changed. */
static bool run_packed(bool weights_at_edge)
{
    struct psog_layer layer = test.layer;
    uint8_t *weights = packed.weights;
    uint32_t *inputs = packed.inputs, *outputs = packed.outputs + GUARD;
    if (weights_at_edge)
        weights = memcpy(kernel_check_edge(packed.weight_bytes), weights, packed.weight_bytes);
    else
        inputs = (uint32_t *)(void *)memcpy(kernel_check_edge(packed.input_bytes), packed.inputs,
                                            packed.input_bytes);
    layer.weights = (const int8_t *)weights;
    layer.multipliers = packed.requantization;
    memset(packed.outputs, GUARD_BYTE, sizeof packed.outputs);
    if (layer.kind == PSOG_DENSE)
        psog_dense_paired(&layer, inputs, outputs);
    else
        psog_convolve_paired(&layer, inputs, outputs, one_in(2));
    return untouched(packed.outputs, outputs) &&
           untouched(outputs + output_words(&layer), packed.outputs + sizeof packed.outputs / 4u);
}

/* Whether an image may hold the list, or its first bytes. */
static bool accepted(uint32_t bytes)
{
    struct psog_layer layer = test.layer;
    layer.weights = memcpy(kernel_check_edge(bytes), packed.weights, bytes);
    return psog_valid_sparse(&layer, bytes);
}

/* Another word in one place: any, one bit different, or a way that may lead to inputs. */
static void change_word(void)
{
    uint32_t words = packed.weight_bytes / 4u;
    if (words > 8u && one_in(4)) /* the header, the first counts */
        words = 8u;
    uint8_t *at = packed.weights + 4u * (random_32() % words);
    uint32_t kind = random_32() % 4u, any = random_32();
    uint32_t way = 4u * test.layer.columns * (uint32_t)between(-8, 8);
    const uint32_t other[] = {any, psog_get_u32(at) ^ 1u << any % 32u, psog_get_u32(at) + way,
                              way - PSOG_SPARSE_ADVANCE};
    psog_put_u32(at, other[kind]);
}

/* A list with one word changed, sometimes three, may be one that no layer makes; but if images may hold it,
 * kernels stay inside their arrays. */
static bool run_changed_list(struct kernel_check *result)
{
    for (uint32_t i = one_in(4) ? 3 : 1; i > 0; i--)
        change_word();
    result->changed++;
    if (!accepted(packed.weight_bytes))
        return true;
    result->accepted++;
    return run_packed(false);
}

/* An image may hold int16 weights that no training makes. Sums of these wrap. */
static bool run_heaviest(const struct psog_layer *layer)
{
    if (layer->packing == PSOG_SPARSE)
        packed.weight_bytes = pack_sparse(layer, packed.weights, true);
    for (uint32_t i = 0; layer->packing == PSOG_PAIRED_16 && i < packed.weight_bytes; i += 4u)
        psog_put_u32(packed.weights + i, HEAVIEST_PAIR);
    return run_packed(one_in(2));
}

static bool run_core(int8_t *output, struct kernel_check *result)
{
    bool sparse = test.layer.packing == PSOG_SPARSE;
    pack(&test.layer);
    result->packed[test.layer.packing]++;
    bool good = !sparse || (accepted(packed.weight_bytes) && !accepted(packed.weight_bytes - 4u));
    good = run_packed(one_in(2)) && good;
    take_outputs(&test.layer, (const int16_t *)(packed.outputs + GUARD), output);
    if (sparse)
        good = run_changed_list(result) && good;
    if (one_in(8))
        good = run_heaviest(&test.layer) && good;
    return good;
}
#endif

static bool same(uint32_t seed, uint32_t number, struct kernel_check *result)
{
    state = seed * 0x01000193u ^ number * 0x85EBCA77u;
    choose_layer();
    uint32_t offset = GUARD - random_32() % 4u; /* outputs may lie at any address */
    memset(test.expected, GUARD_BYTE, sizeof test.expected);
    memset(test.found, GUARD_BYTE, sizeof test.found);
    run_reference((int8_t *)test.expected + offset);
    return run_core((int8_t *)test.found + offset, result) &&
           memcmp(test.expected, test.found, sizeof test.expected) == 0;
}

struct kernel_check check_kernels(uint32_t seed, uint32_t first, uint32_t cases)
{
    struct kernel_check result = {.cases = cases};
    for (uint32_t i = 0; i < cases; i++)
        if (!same(seed, first + i, &result) && result.different++ == 0)
            result.first = first + i;
    return result;
}
