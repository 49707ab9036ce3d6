/* Dense layers with weights of four bits, for cores with MVE: four outputs at a time, as in kernels_mve.S. A
 * multiple stays in the upper half of its byte, where its sign is the byte's, and counts sixteen times. */
#include "kernels_mve.h"

#ifdef __ARM_FEATURE_MVE
#include <arm_mve.h>

#define HALF (PSOG_STRETCH / 2u)

/* What four rows of weights and the inputs come to; rows beyond the last are the last once more. */
static int32x4_t sums_of_four(const int8_t *input, uint32_t inputs, const int8_t *const row[PSOG_LANES])
{
    const int8_t *w0 = row[0], *w1 = row[1], *w2 = row[2], *w3 = row[3];
    const int8x16_t upper = vdupq_n_s8((int8_t)0xF0);
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (uint32_t i = 0; i < inputs; i += PSOG_STRETCH) {
        uint32_t left = inputs - i;
        int8x16_t near = vldrbq_z_s8(input + i, vctp8q(left));
        int8x16_t far = vldrbq_z_s8(input + i + HALF, vctp8q(left > HALF ? left - HALF : 0));
        int8x16_t w = vldrbq_s8(w0 + i / 2u);
        s0 = vmladavaq_s8(s0, near, vshlq_n_s8(w, 4));
        s0 = vmladavaq_s8(s0, far, vandq_s8(w, upper));
        w = vldrbq_s8(w1 + i / 2u);
        s1 = vmladavaq_s8(s1, near, vshlq_n_s8(w, 4));
        s1 = vmladavaq_s8(s1, far, vandq_s8(w, upper));
        w = vldrbq_s8(w2 + i / 2u);
        s2 = vmladavaq_s8(s2, near, vshlq_n_s8(w, 4));
        s2 = vmladavaq_s8(s2, far, vandq_s8(w, upper));
        w = vldrbq_s8(w3 + i / 2u);
        s3 = vmladavaq_s8(s3, near, vshlq_n_s8(w, 4));
        s3 = vmladavaq_s8(s3, far, vandq_s8(w, upper));
    }
    const int32_t sums[PSOG_LANES] = {s0, s1, s2, s3};
    return vshrq_n_s32(vld1q_s32(sums), 4);
}

/* Requantization and zero point as kernels_mve.c explains them; outputs are the lowest bytes of the lanes. */
static int32x4_t requantized(const struct psog_layer *layer, uint32_t channel, int32x4_t sums,
                             mve_pred16_t valid)
{
    int32x4_t multipliers = vldrwq_z_s32((const int32_t *)(const void *)layer->multipliers + channel, valid);
    int32x4_t shifts = vldrbq_z_s32(layer->shifts + channel, valid), none = vdupq_n_s32(0);
    int32x4_t right = vminq_s32(shifts, none);
    sums = vqrdmulhq_s32(vshlq_s32(sums, vmaxq_s32(shifts, none)), multipliers);
    sums = vaddq_s32(sums, vshrq_n_s32(vandq_s32(sums, right), 31));
    sums = vqaddq_n_s32(vrshlq_s32(sums, right), layer->out_zero);
    sums = vminq_s32(vmaxq_s32(sums, vdupq_n_s32(layer->low)), vdupq_n_s32(layer->high));
    return sums;
}

void psog_dense_4(const struct psog_layer *layer, const int8_t *input, int8_t *output)
{
    uint32_t inputs = psog_layer_inputs(layer), pitch = psog_plain4_row_bytes(inputs);
    const uint8_t *factors = (const uint8_t *)layer->weights;
    const int8_t *weights = layer->weights + psog_factor_bytes(layer);
    for (uint32_t channel = 0; channel < layer->out_channels; channel += PSOG_LANES) {
        uint32_t left = layer->out_channels - channel;
        mve_pred16_t valid = vctp32q(left);
        const int8_t *row[PSOG_LANES];
        for (uint32_t i = 0; i < PSOG_LANES; i++)
            row[i] = weights + (channel + (i < left ? i : left - 1u)) * pitch;
        int32x4_t sums = sums_of_four(input, inputs, row);
        sums = vmulq_s32(sums, vreinterpretq_s32_u32(vldrbq_z_u32(factors + channel, valid)));
        sums = vaddq_s32(sums, vldrwq_z_s32((const int32_t *)(const void *)layer->biases + channel, valid));
        sums = vaddq_s32(sums,
                         vldrwq_z_s32((const int32_t *)(const void *)layer->corrections + channel, valid));
        vstrbq_p_s32(output + channel, requantized(layer, channel, sums, valid), valid);
    }
}
#endif
