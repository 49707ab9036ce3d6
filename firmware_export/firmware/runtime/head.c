/* The linear head in float: the part of the network that belongs to the user. */
#include "psog.h"

#ifndef __ARM_FEATURE_MVE /* ends_mve.c */
void psog_head_apply(const struct psog_model *model, const float *rows, const int8_t *features,
                     float output[PSOG_OUTPUTS])
{
    uint32_t bias = model->features;
    const float *head = (const float *)(const void *)model->head;
    const float *right = rows ? rows : head;
    const float *up = right + bias + 1u;
    const float *openness = head + PSOG_ROWS_FLOATS(bias);
    const float *ln_error = openness + bias + 1u;
    float sum[] = {right[bias], up[bias], openness[bias], ln_error[bias]};
    for (uint32_t i = 0; i < bias; i++) {
        float real = model->feature_scale * (float)(features[i] - model->feature_zero);
        sum[0] += right[i] * real;
        sum[1] += up[i] * real;
        sum[2] += openness[i] * real;
        sum[3] += ln_error[i] * real;
    }
    for (uint32_t row = 0; row < PSOG_OUTPUTS; row++)
        output[row] = sum[row];
}
#endif
