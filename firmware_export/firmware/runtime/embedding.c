/* The user embedding: a few numbers follow from the samples of a calibration, and they shift every bias.
 * psog/net/told.py is the reference; floats are summed in its order, so that the bits agree. */
#include "bytes.h"
#include "layer.h"
#include "samples.h"

#define TARGET_UNIT_DEG 20.0f
#define LARGEST_NUMBER 65536.0f /* up to here no product leaves what a float holds */
#define LARGEST_BIAS (1 << 30)  /* before the left shift; leaves as much again for the products */

/* What a sample has of one sensor, in steps of the finest plane, less the zero points. */
static int32_t centred(const struct psog_model *model, const int8_t *planes)
{
    int32_t coarse = planes[0] - model->input_zero;
    if (model->planes == 1)
        return coarse;
    return coarse * (1 << PSOG_RESIDUAL_BITS) + planes[1] - model->input_zero;
}

/* What the samples say of one sensor: its mean, and its covariance with each target angle. */
static void statistics(const struct psog_samples *samples, uint32_t sensor,
                       const float centre[PSOG_GAZE_OUTPUTS], float found[PSOG_STATISTICS])
{
    const struct psog_model *model = samples->model;
    int32_t sum = 0;
    found[1] = found[2] = 0.0f;
    for (uint32_t index = 0; index < samples->targets; index++) {
        const struct psog_target *target = psog_target(samples, index);
        const int8_t *planes = target->values + sensor * model->planes;
        float right = target->target_deg[0] / TARGET_UNIT_DEG - centre[0];
        float up = target->target_deg[1] / TARGET_UNIT_DEG - centre[1];
        for (uint32_t k = 0; k < target->count; k++, planes += samples->value_bytes) {
            int32_t steps = centred(model, planes);
            sum += steps;
            found[1] += (float)steps * right;
            found[2] += (float)steps * up;
        }
    }
    found[0] = (float)sum;
    for (uint32_t i = 0; i < PSOG_STATISTICS; i++)
        found[i] /= (float)samples->count;
}

/* The mean of the samples' target angles. */
static void target_centre(const struct psog_samples *samples, float centre[PSOG_GAZE_OUTPUTS])
{
    for (uint32_t axis = 0; axis < PSOG_GAZE_OUTPUTS; axis++) {
        float sum = 0.0f;
        for (uint32_t index = 0; index < samples->targets; index++) {
            const struct psog_target *target = psog_target(samples, index);
            for (uint32_t k = 0; k < target->count; k++)
                sum += target->target_deg[axis] / TARGET_UNIT_DEG;
        }
        centre[axis] = sum / (float)samples->count;
    }
}

enum psog_error psog_find_numbers(const struct psog_samples *samples, float *numbers)
{
    const struct psog_model *model = samples->model;
    const uint8_t *weight = model->embedding + 4u * model->numbers;
    float centre[PSOG_GAZE_OUTPUTS];
    target_centre(samples, centre);
    memcpy(numbers, model->embedding, model->numbers * sizeof *numbers);
    for (uint32_t sensor = 0; sensor < model->sensors; sensor++) {
        float found[PSOG_STATISTICS];
        statistics(samples, sensor, centre, found);
        for (uint32_t k = 0; k < PSOG_STATISTICS; k++)
            for (uint32_t i = 0; i < model->numbers; i++, weight += 4)
                numbers[i] += psog_get_f32(weight) * found[k];
    }
    for (uint32_t i = 0; i < model->numbers; i++)
        if (!(numbers[i] >= -LARGEST_NUMBER && numbers[i] <= LARGEST_NUMBER))
            return PSOG_ERR_RANGE;
    return PSOG_OK;
}

/* A bias and its shift in steps of the accumulator, kept where no sum overflows. */
static int32_t told(int32_t bias, float steps, int32_t left_shift)
{
    const float largest = (float)LARGEST_BIAS;
    float bounded = steps < -largest ? -largest : steps > largest ? largest : steps;
    int64_t sum = (int64_t)bias + (int32_t)(bounded + (bounded < 0.0f ? -0.5f : 0.5f));
    int32_t limit = LARGEST_BIAS >> (left_shift > 0 ? left_shift : 0);
    return (int32_t)(sum < -limit ? -limit : sum > limit ? limit : sum);
}

void psog_tell(const struct psog_model *model, const float *numbers, int32_t *biases)
{
    uint32_t floats = model->numbers + model->numbers * PSOG_STATISTICS * model->sensors;
    const uint8_t *scale = model->embedding + 4u * floats;
    const int8_t *shift = (const int8_t *)scale + 4u * model->biases;
    for (uint32_t index = 0; index < model->layer_count; index++) {
        const struct psog_layer layer = psog_layer_decode(model, index);
        for (uint32_t channel = 0; channel < layer.out_channels; channel++, scale += 4) {
            float sum = 0.0f;
            for (uint32_t i = 0; i < model->numbers; i++)
                sum += (float)*shift++ * numbers[i];
            *biases++ = told(psog_get_i32(layer.biases + 4u * channel), psog_get_f32(scale) * sum,
                             psog_is_plain(&layer) ? layer.shifts[channel] : 0);
        }
    }
}
