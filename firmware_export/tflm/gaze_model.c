/* What lies before and behind the network: normalisation in integers, the head in float. */
#include "gaze.h"

#define RESIDUAL_BITS 3 /* a second input plane is this much finer */

/* x / 2^times rounded half up, times at least 1. Shifts of negative numbers are arithmetic, as every compiler
 * for Cortex-M does them. */
static int32_t halved(int32_t x, int times)
{
    return (x + ((int32_t)1 << (times - 1))) >> times;
}

static int8_t clipped(int32_t x)
{
    return (int8_t)(x < -128 ? -128 : x > 127 ? 127 : x);
}

/* One reading to GAZE_PLANES values. |product| < 2^30: multipliers stay below 2^14. */
static void normalise(uint32_t sensor, uint16_t reading, int8_t *planes)
{
    int32_t product = (reading - gaze_offset[sensor]) * gaze_multiplier[sensor];
#if GAZE_PLANES == 1
    planes[0] = clipped(halved(product, GAZE_SHIFT));
#else
    int32_t fine = halved(product, GAZE_SHIFT - RESIDUAL_BITS);
    planes[0] = clipped(halved(fine, RESIDUAL_BITS));
    planes[1] = clipped(fine - planes[0] * (1 << RESIDUAL_BITS));
#endif
}

void gaze_normalise(const uint16_t readings[GAZE_SENSORS], int8_t input[GAZE_INPUTS])
{
    for (uint32_t cell = 0; cell < GAZE_CELLS; cell++)
        normalise(gaze_layout[cell], readings[gaze_layout[cell]], input + cell * GAZE_PLANES);
}

void gaze_head(const int8_t features[GAZE_FEATURES], const float *head, float output[GAZE_OUTPUTS])
{
    const float *row = head ? head : gaze_head_weights;
    for (uint32_t index = 0; index < GAZE_OUTPUTS; index++, row += GAZE_FEATURES + 1) {
        output[index] = row[GAZE_FEATURES];
        for (uint32_t i = 0; i < GAZE_FEATURES; i++)
            output[index] += row[i] * (GAZE_FEATURE_SCALE * (float)(features[i] - GAZE_FEATURE_ZERO));
    }
}
