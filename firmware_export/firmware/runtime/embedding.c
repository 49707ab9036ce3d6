/* The user embedding: a few numbers follow from the samples of a calibration, and they shift every bias.
 * psog/net/told.py is the reference; floats are summed in its order, so that the bits agree. */
#include <math.h>

#include "bytes.h"
#include "layer.h"
#include "network.h"
#include "samples.h"

#define TARGET_UNIT_DEG 20.0f
#define LARGEST_NUMBER 65536.0f /* up to here no product leaves what a float holds */
#define LARGEST_BIAS (1 << 30)  /* before the left shift; leaves as much again for the products */

/* What a sample has of one sensor, in steps of the finest plane, less the zero points. */
static int32_t centred(const struct psog_model *model, const int8_t *inputs, uint32_t sensor)
{
    const int8_t *planes = inputs + sensor * model->planes;
    int32_t coarse = planes[0] - model->input_zero;
    if (model->planes == 1)
        return coarse;
    return coarse * (1 << PSOG_RESIDUAL_BITS) + planes[1] - model->input_zero;
}

/* What the samples say of one sensor: its mean, and its covariance with each target angle. */
static void statistics(const struct psog_samples *samples, uint32_t sensor, float found[PSOG_STATISTICS])
{
    float count = (float)samples->count;
    float centre[PSOG_GAZE_OUTPUTS] = {0};
    int32_t sum = 0;
    for (uint32_t i = 0; i < samples->count; i++) {
        const struct psog_sample sample = psog_sample(samples, i);
        sum += centred(samples->model, sample.inputs, sensor);
        for (uint32_t axis = 0; axis < PSOG_GAZE_OUTPUTS; axis++)
            centre[axis] += sample.target_deg[axis] / TARGET_UNIT_DEG;
    }
    found[0] = (float)sum / count;
    for (uint32_t axis = 0; axis < PSOG_GAZE_OUTPUTS; axis++) {
        float products = 0.0f;
        for (uint32_t i = 0; i < samples->count; i++) {
            const struct psog_sample sample = psog_sample(samples, i);
            float input = (float)centred(samples->model, sample.inputs, sensor);
            products += input * (sample.target_deg[axis] / TARGET_UNIT_DEG - centre[axis] / count);
        }
        found[1u + axis] = products / count;
    }
}

static enum psog_error find_numbers(const struct psog_samples *samples, float *numbers)
{
    const struct psog_model *model = samples->model;
    const uint8_t *weight = model->embedding + 4u * model->numbers;
    if (samples->count == 0)
        return PSOG_ERR_TOO_FEW;
    memcpy(numbers, model->embedding, model->numbers * sizeof *numbers);
    for (uint32_t sensor = 0; sensor < model->sensors; sensor++) {
        float found[PSOG_STATISTICS];
        statistics(samples, sensor, found);
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
                             layer.shifts[channel]);
        }
    }
}

enum psog_error psog_samples_solve(const struct psog_samples *samples, struct psog_tune *tune,
                                   int8_t *activations, size_t activation_bytes, const struct psog_user *user,
                                   struct psog_fit *fit)
{
    const struct psog_model *model = samples->model;
    int8_t features[PSOG_MAX_FEATURES];
    enum psog_error error = find_numbers(samples, user->numbers);
    if (error != PSOG_OK)
        return error;
    psog_tell(model, user->numbers, user->biases);
    for (uint32_t i = 0; i < samples->count && error == PSOG_OK; i++) {
        const struct psog_sample sample = psog_sample(samples, i);
        error = psog_infer_inputs(model, user->biases, sample.inputs, activations, activation_bytes,
                                  features);
        if (error == PSOG_OK)
            error = psog_tune_add(tune, features, sample.target_deg);
    }
    if (error == PSOG_OK)
        error = psog_tune_solve(tune, user->head, fit);
    if (error != PSOG_OK)
        return error;
    fit->samples = samples->readings;
    fit->before_deg = sqrtf(samples->residual / (float)samples->readings);
    return psog_is_finite(fit->before_deg) ? PSOG_OK : PSOG_ERR_RANGE;
}
