/* What lies before and behind the layers, for cores with MVE: network.c's bits, and the head of head.c. */
#include "bytes.h"
#include "network.h"

#ifdef __ARM_FEATURE_MVE
#include <arm_mve.h>

#define LANES 4u

static int8x16_t saturated(int32x4_t values)
{
    int16x8_t halves = vqmovnbq_s32(vdupq_n_s16(0), values);
    return vqmovnbq_s16(vdupq_n_s8(0), halves);
}

/* The lowest byte of each lane, with its sign. */
static int32x4_t lowest(int8x16_t bytes)
{
    return vshrq_n_s32(vshlq_n_s32(vreinterpretq_s32_s8(bytes), 24), 24);
}

/* Four sensors at a time; VRSHL to the right rounds half up. */
void psog_normalise(const struct psog_model *model, const uint16_t *readings, int8_t *inputs)
{
    const int32_t *entry = (const int32_t *)(const void *)model->normalisation;
    uint32x4_t entries = vidupq_n_u32(0, 2), places = vmulq_n_u32(vidupq_n_u32(0, 1), model->planes);
    int32_t finer = model->planes == 1 ? 0 : (int32_t)PSOG_RESIDUAL_BITS;
    int32_t shift = finer - model->normalisation_shift;
    for (uint32_t i = 0; i < model->sensors; i += LANES) {
        mve_pred16_t valid = vctp32q(model->sensors - i);
        int32x4_t reading = vreinterpretq_s32_u32(vldrhq_z_u32(readings + i, valid));
        int32x4_t offset = vldrwq_gather_shifted_offset_z_s32(entry, entries, valid);
        int32x4_t multiplier = vldrwq_gather_shifted_offset_z_s32(entry + 1, entries, valid);
        int32x4_t fine = vrshlq_n_s32(vmulq_s32(vsubq_s32(reading, offset), multiplier), shift);
        int8x16_t value = saturated(vrshlq_n_s32(fine, -finer));
        vstrbq_scatter_offset_p_s32(inputs, places, vreinterpretq_s32_s8(value), valid);
        if (finer) {
            int8x16_t rest = saturated(vsubq_s32(fine, vshlq_n_s32(lowest(value), PSOG_RESIDUAL_BITS)));
            vstrbq_scatter_offset_p_s32(inputs + 1, places, vreinterpretq_s32_s8(rest), valid);
        }
        entry += 2u * LANES;
        inputs += LANES * model->planes;
    }
}

/* Sixteen bytes at a time; of two planes those of a sensor follow each other. */
void psog_place_plain(const struct psog_model *model, const int8_t *inputs, int8_t *activations)
{
    const uint32_t planes = model->planes, at_once = 16u / planes;
    const uint8_t *layout = model->layout;
    for (uint32_t left = model->cells; left > 0;) {
        mve_pred16_t valid = vctp8q(left * planes);
        uint8x16_t places;
        if (planes == 1)
            places = vldrbq_z_u8(layout, valid);
        else /* twice the sensor, and one more in the upper byte */
            places = vreinterpretq_u8_u16(vaddq_n_u16(vmulq_n_u16(vldrbq_z_u16(layout, valid), 514u), 256u));
        vstrbq_p_s8(activations, vldrbq_gather_offset_z_s8(inputs, places, valid), valid);
        activations += 16;
        layout += at_once;
        left -= left < at_once ? left : at_once;
    }
}

#if __ARM_FEATURE_MVE & 2 /* MVE with floats */
/* Adds the products of the next `count` weights of each row, lane by lane of `steps`. */
static inline float32x4_t add_products(float32x4_t sums, uint32x4_t at, float32x4_t steps, uint32_t count)
{
    sums = vfmaq_n_f32(sums, vldrwq_gather_base_f32(at, 0), vgetq_lane_f32(steps, 0));
    if (count > 1u)
        sums = vfmaq_n_f32(sums, vldrwq_gather_base_f32(at, 4), vgetq_lane_f32(steps, 1));
    if (count > 2u)
        sums = vfmaq_n_f32(sums, vldrwq_gather_base_f32(at, 8), vgetq_lane_f32(steps, 2));
    if (count > 3u)
        sums = vfmaq_n_f32(sums, vldrwq_gather_base_f32(at, 12), vgetq_lane_f32(steps, 3));
    return sums;
}

static inline float32x4_t steps_of(const struct psog_model *model, const int8_t *features, uint32_t count)
{
    return vcvtq_f32_s32(vsubq_n_s32(vldrbq_z_s32(features, vctp32q(count)), model->feature_zero));
}

static uint32_t address(const float *values)
{
    return (uint32_t)(uintptr_t)values;
}

/* One lane for each output, so that floats are added in the order of head.c. */
void psog_head_apply(const struct psog_model *model, const float *rows, const int8_t *features,
                     float output[PSOG_OUTPUTS])
{
    uint32_t left = model->features;
    const float *head = (const float *)(const void *)model->head;
    const float *right = rows ? rows : head, *openness = head + PSOG_ROWS_FLOATS(left);
    const uint32_t starts[] = {address(right), address(right + left + 1u), address(openness),
                               address(openness + left + 1u)};
    uint32x4_t at = vld1q_u32(starts);
    float32x4_t biases = vldrwq_gather_base_f32(vaddq_n_u32(at, left * sizeof(float)), 0);
    float32x4_t sums = vdupq_n_f32(0.0f);
    for (; left >= LANES; left -= LANES, features += LANES) {
        sums = add_products(sums, at, steps_of(model, features, LANES), LANES);
        at = vaddq_n_u32(at, LANES * sizeof(float));
    }
    if (left > 0)
        sums = add_products(sums, at, steps_of(model, features, left), left);
    vst1q_f32(output, vfmaq_n_f32(biases, sums, model->feature_scale));
}
#endif
#endif
