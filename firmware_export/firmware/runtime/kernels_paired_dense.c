/* Paired dense layers: blocks of four outputs that share their inputs, and the rest one by one. */
#include "paired_arithmetic.h"

#if PSOG_RUNS_PAIRED

#ifndef PSOG_CORE_DSP
/* Four pairs of weights of four bits with four words of input: those in the lower halves of bytes 0 and 2, of
 * bytes 1 and 3, then those in the upper halves. */
static uint32_t four_products_4(const uint8_t *weights, const uint32_t *inputs)
{
    uint32_t sum = 0;
    for (uint32_t pair = 0; pair < 4u; pair++) {
        uint32_t even = weights[pair % 2u], odd = weights[pair % 2u + 2u];
        if (pair >= 2u) {
            even >>= 4;
            odd >>= 4;
        }
        sum += psog_products(inputs[pair], (int32_t)(even % 16u ^ 8u) - 8, (int32_t)(odd % 16u ^ 8u) - 8);
    }
    return sum;
}

/* The sum of one output: four are interleaved, int16 word by word, int8 two words at a time, int4 four. */
static uint32_t dense_sum(const struct psog_block *block, const uint8_t *weights, uint32_t interleaved,
                         enum psog_packing packing)
{
    const uint32_t *inputs = block->inputs, together = packing == PSOG_PAIRED_16 ? 1 : 2;
    uint32_t sum = 0, words = block->groups * PSOG_PAIRED_GROUP;
    if (packing == PSOG_PAIRED_4) {
        for (uint32_t word = 0; word < words; word += 4u)
            sum += four_products_4(weights + interleaved * word, inputs + word);
        return sum;
    }
    for (uint32_t word = 0; word < words; word++)
        sum += psog_weight_products(packing, weights + 4u * interleaved * (word / together), word % together,
                               inputs[word]);
    return sum;
}

static void run_block(struct psog_block *block, const uint8_t *weights, enum psog_packing packing)
{
    uint32_t outputs = 4u * block->blocks + block->singles;
    uint32_t bytes = block->groups * PSOG_PAIRED_GROUP * PSOG_PAIR_BYTES(packing); /* of one output */
    for (uint32_t i = 0; i < outputs; i++) {
        bool single = i >= 4u * block->blocks;
        uint32_t at = single ? i * bytes : i / 4u * 4u * bytes + i % 4u * 4u;
        uint32_t sum = dense_sum(block, weights + at, single ? 1 : 4, packing);
        if (packing == PSOG_PAIRED_4)
            sum *= block->factors[i];
        uint32_t biased = sum + psog_get_u32(block->biases + 4u * i);
        block->outputs[i] = psog_finish(biased, block->multipliers + 8u * i);
    }
}
#else
static void run_block(struct psog_block *block, const uint8_t *weights, enum psog_packing packing)
{
    (PSOG_IS(PSOG_DENSE_LAYERS, packing, PSOG_PAIRED_16)  ? psog_block_16
     : PSOG_IS(PSOG_DENSE_LAYERS, packing, PSOG_PAIRED_8) ? psog_block_8
                                                          : psog_block_4)(block, weights);
}
#endif

void psog_dense_paired(const struct psog_layer *layer, const uint32_t *input, uint32_t *output)
{
    struct psog_block block = {
        .inputs = input,
        .groups = psog_paired_inputs(layer) / PSOG_PAIRED_GROUP,
        .biases = layer->biases,
        .multipliers = layer->multipliers,
        .outputs = (int16_t *)output,
        .blocks = layer->out_channels / 4u,
        .singles = layer->out_channels % 4u,
        .factors = (const uint8_t *)layer->weights, /* of four bits */
    };
    bool coarse = PSOG_IS(PSOG_DENSE_LAYERS, layer->packing, PSOG_PAIRED_4);
    uint32_t factors = coarse ? psog_factor_bytes(layer) : 0;
    run_block(&block, (const uint8_t *)layer->weights + factors, layer->packing);
}
#endif
