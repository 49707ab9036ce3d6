/* What paired layers compute, in C: products of a word with two weights, and an output of a sum. */
#ifndef PSOG_PAIRED_ARITHMETIC_H
#define PSOG_PAIRED_ARITHMETIC_H

#include "bytes.h"
#include "kernels_paired.h"

/* Sums wrap, as the DSP instructions' do: an image with absurd weights gives absurd features, never undefined
 * behaviour. */
static inline uint32_t psog_products(uint32_t x, int32_t even, int32_t odd)
{
    return (uint32_t)((int16_t)(x & 0xFFFFu) * even) + (uint32_t)((int16_t)(x >> 16) * odd);
}

/* Requantization with TFLite's two roundings and the ReLU. A right shift of at least 1 is left: with one bit
 * of it held back, the second rounding is an addition that cannot overflow; its own rule for negative halves
 * makes no difference where negative values become 0. */
static inline int16_t psog_finish(uint32_t sum, const uint8_t *requantization)
{
    int64_t product = (int32_t)sum * (psog_get_i32(requantization) + ((int64_t)1 << 32));
    int32_t high = (int32_t)((product + ((int64_t)1 << 31)) >> 32);
    int32_t scaled = ((high >> psog_get_u32(requantization + 4)) + 1) >> 1;
    return (int16_t)(scaled < 0 ? 0 : scaled > 255 ? 255 : scaled);
}

/* Weight pair `index` of a tile's stretch. As int8 they come as six to three words; a word has two pairs,
 * in bytes 0 and 2 and in bytes 1 and 3: what SXTB16 takes apart. */
static inline uint32_t psog_weight_products(enum psog_packing packing, const uint8_t *weights,
                                            uint32_t index, uint32_t x)
{
    if (packing == PSOG_PAIRED_16) {
        uint32_t pair = psog_get_u32(weights + 4u * index);
        return psog_products(x, (int16_t)(pair & 0xFFFFu), (int16_t)(pair >> 16));
    }
    const int8_t *bytes = (const int8_t *)weights + 4u * (index / 2u) + index % 2u;
    return psog_products(x, bytes[0], bytes[2]);
}

#endif
