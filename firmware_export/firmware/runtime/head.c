/* The linear head in float: the part of the network that belongs to the user. */
#include <math.h>
#include <string.h>

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

/* The rows of the four outputs, and the sums of their products with the features, in steps of these. */
struct psog_head_sums {
    const float *rows[PSOG_OUTPUTS];
    float sums[PSOG_OUTPUTS];
};

/* offset: what makes an integer feature steps from zero. */
#if defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_FMA) /* head_armv7em.S */
void psog_head_sums(struct psog_head_sums *head, const int8_t *features, uint32_t count, int32_t offset);
#else
static void psog_head_sums(struct psog_head_sums *head, const int8_t *features, uint32_t count,
                           int32_t offset)
{
    const float *right = head->rows[0], *up = head->rows[1];
    const float *openness = head->rows[2], *ln_error = head->rows[3];
    /* Four sums, so that no addition waits for the one before it. */
    float sums[PSOG_OUTPUTS] = {0};
    for (uint32_t i = 0; i < count; i++) {
        float steps = (float)(features[i] + offset);
        sums[0] = multiply_add(right[i], steps, sums[0]);
        sums[1] = multiply_add(up[i], steps, sums[1]);
        sums[2] = multiply_add(openness[i], steps, sums[2]);
        sums[3] = multiply_add(ln_error[i], steps, sums[3]);
    }
    memcpy(head->sums, sums, sizeof sums);
}
#endif

void psog_head_apply(const struct psog_model *model, const float *rows, const int8_t *features,
                     float output[PSOG_OUTPUTS])
{
    uint32_t bias = model->features;
    const float *own = (const float *)(const void *)model->head;
    const float *right = rows ? rows : own, *openness = own + PSOG_ROWS_FLOATS(bias);
    struct psog_head_sums head = {{right, right + bias + 1u, openness, openness + bias + 1u}, {0}};
    psog_head_sums(&head, features, bias, -model->feature_zero);
    for (uint32_t i = 0; i < PSOG_OUTPUTS; i++)
        output[i] = multiply_add(head.sums[i], model->feature_scale, head.rows[i][bias]);
}
#endif
