/* The linear head in float: the part of the network that belongs to the user. */
#include <math.h>

#include "psog.h"

#if !defined(__ARM_FEATURE_MVE) || !(__ARM_FEATURE_MVE & 2) /* ends_mve.c */
/* In one instruction where the core has one; the last bits of a head's output differ between cores. */
static inline float multiply_add(float a, float b, float c)
{
#ifdef __FP_FAST_FMAF
    return fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

void psog_head_apply(const struct psog_model *model, const float *rows, const int8_t *features,
                     float output[PSOG_OUTPUTS])
{
    uint32_t bias = model->features;
    const float *head = (const float *)(const void *)model->head;
    const float *right = rows ? rows : head;
    const float *up = right + bias + 1u;
    const float *openness = head + PSOG_ROWS_FLOATS(bias);
    const float *ln_error = openness + bias + 1u;
    const float scale = model->feature_scale;
    const int32_t zero = model->feature_zero;
    /* Four sums, so that no addition waits for the one before it; in steps of the features. */
    float sums[PSOG_OUTPUTS] = {0};
    for (uint32_t i = 0; i < bias; i++) {
        float steps = (float)(features[i] - zero);
        sums[0] = multiply_add(right[i], steps, sums[0]);
        sums[1] = multiply_add(up[i], steps, sums[1]);
        sums[2] = multiply_add(openness[i], steps, sums[2]);
        sums[3] = multiply_add(ln_error[i], steps, sums[3]);
    }
    output[0] = multiply_add(sums[0], scale, right[bias]);
    output[1] = multiply_add(sums[1], scale, up[bias]);
    output[2] = multiply_add(sums[2], scale, openness[bias]);
    output[3] = multiply_add(sums[3], scale, ln_error[bias]);
}
#endif
