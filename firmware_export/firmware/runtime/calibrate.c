/* A whole calibration from its samples: numbers, biases, gaze rows, and how good they are. */
#include "network.h"
#include "samples.h"

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Words of work before the biases. */
static uint32_t biases_at(const struct psog_model *model)
{
    return (model->activation_bytes + 3u) / 4u;
}

/* Activations, and the biases after them, until all features are known; then factor and scratch. */
size_t psog_work_bytes(const struct psog_model *model)
{
    size_t width = model->features + 1u;
    size_t seeing = biases_at(model) + (model->numbers > 0 ? model->biases : 0u);
    size_t fitting = width * (width + 1u) / 2u + K * width;
    return 4u * larger(seeing, fitting);
}

/* Each sample's inputs become the features that a network with these biases gives for them. */
static enum psog_error see(const struct psog_samples *samples, const int32_t *biases, uint32_t *activations)
{
    const struct psog_model *model = samples->model;
    for (uint32_t index = 0; index < samples->targets; index++) {
        struct psog_target *target = psog_target(samples, index);
        for (uint32_t k = 0; k < target->count; k++) {
            int8_t *values = target->values + k * samples->value_bytes;
            enum psog_error error =
                psog_infer_inputs(model, biases, values, activations, model->activation_bytes, values);
            if (error != PSOG_OK)
                return error;
        }
    }
    return PSOG_OK;
}

/* Finds the user's numbers and leaves features in place of inputs. */
static enum psog_error tell(const struct psog_samples *samples, void *work, float *numbers)
{
    const struct psog_model *model = samples->model;
    int32_t *biases = (int32_t *)work + biases_at(model);
    enum psog_error error = psog_find_numbers(samples, numbers);
    if (error != PSOG_OK)
        return error;
    psog_tell(model, numbers, biases);
    return see(samples, biases, work);
}

enum psog_error psog_samples_solve(const struct psog_samples *samples, void *work, size_t work_bytes,
                                   const struct psog_user *user, struct psog_fit *fit)
{
    const struct psog_model *model = samples->model;
    float *x = work;
    float *factor = x + K * (model->features + 1u);
    enum psog_error error = PSOG_OK;
    if (work_bytes < psog_work_bytes(model))
        return PSOG_ERR_LENGTH;
    if (samples->count == 0)
        return PSOG_ERR_TOO_FEW;
    if (model->numbers > 0)
        error = tell(samples, work, user->numbers);
    if (error == PSOG_OK)
        error = psog_fit_rows(samples, factor, x, user->rows);
    if (error == PSOG_OK)
        error = psog_judge_rows(samples, factor, x, user->rows, fit);
    if (error == PSOG_OK && model->numbers > 0)
        psog_tell(model, user->numbers, user->biases);
    return error;
}
