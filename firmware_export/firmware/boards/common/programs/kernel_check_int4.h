/* Random dense layers of kernel_check.c with two weights in a byte (docs/SPEC.md, Packings). */
#ifndef KERNEL_CHECK_INT4_H
#define KERNEL_CHECK_INT4_H

#include <string.h>

#include "kernel_check_layer.h"

/* Writes the factors; returns how many bytes they take. */
static uint32_t put_factors(const struct psog_layer *layer, uint8_t *bytes)
{
    uint32_t size = psog_factor_bytes(layer);
    memset(bytes, 0, size);
    memcpy(bytes, test.factors, layer->out_channels);
    return size;
}

/* One multiple, in the lower or the upper half of a byte whose other half stays. */
static void put_half(uint8_t *byte, bool upper, int32_t weight, uint8_t factor)
{
    uint32_t multiple = (uint32_t)(weight / factor) & 0xFu;
    *byte = (uint8_t)(upper ? (*byte & 0xFu) | multiple << 4 : (*byte & 0xF0u) | multiple);
}

#if !PSOG_RUNS_PAIRED
/* Plain: stretches of inputs, the first half of each below the other; returns the bytes of all. */
static uint32_t pack_plain_4(const struct psog_layer *layer, uint8_t *bytes)
{
    uint32_t begin = put_factors(layer, bytes), row = psog_plain4_row_bytes(test.fan_in);
    memset(bytes + begin, 0, row * layer->out_channels);
    for (uint32_t channel = 0; channel < layer->out_channels; channel++)
        for (uint32_t i = 0; i < test.fan_in; i++) {
            uint32_t place = i % PSOG_STRETCH, half = PSOG_STRETCH / 2u;
            uint8_t *byte = bytes + begin + channel * row + i / PSOG_STRETCH * half + place % half;
            put_half(byte, place >= half, layer->weights[channel * test.fan_in + i], test.factors[channel]);
        }
    return begin + row * layer->out_channels;
}
#endif

#endif
