/* The linear head in float: the part of the network that belongs to the user. */
#include "bytes.h"
#include "psog.h"

void psog_head_load(const struct psog_model *model, float *head)
{
    memcpy(head, model->head, PSOG_HEAD_FLOATS(model->features) * sizeof *head);
}

void psog_head_apply(const struct psog_model *model, const float *head, const int8_t *features,
                     float output[PSOG_OUTPUTS])
{
    uint32_t width = model->features + 1u;
    const uint8_t *weights = head ? (const uint8_t *)head : model->head;
    for (uint32_t row = 0; row < PSOG_OUTPUTS; row++)
        output[row] = psog_get_f32(weights + 4u * (row * width + model->features));
    for (uint32_t i = 0; i < model->features; i++) {
        float real = model->feature_scale * (float)(features[i] - model->feature_zero);
        for (uint32_t row = 0; row < PSOG_OUTPUTS; row++)
            output[row] += psog_get_f32(weights + 4u * (row * width + i)) * real;
    }
}
