/* Tuning on the device: normal equations streamed sample by sample, one Cholesky solve in place.
 * psog/net/ridge.py is the reference. */
#include <math.h>

#include "bytes.h"
#include "psog.h"

/* The packed lower triangle: row i starts after 1 + 2 + … + i entries. */
static uint32_t at(uint32_t row, uint32_t column)
{
    return row * (row + 1u) / 2u + column;
}

enum psog_error psog_tune_begin(struct psog_tune *tune, const struct psog_model *model, float *work,
                                size_t work_floats)
{
    uint32_t width = model->features + 1u;
    uint32_t needed = PSOG_TUNE_FLOATS(model->features);
    if (work_floats < needed)
        return PSOG_ERR_LENGTH;
    for (uint32_t i = 0; i < needed; i++)
        work[i] = 0.0f;
    float *moments = work + width * (width + 1u) / 2u;
    *tune = (struct psog_tune){.model = model, .gram = work, .moment = {moments, moments + width}};
    return PSOG_OK;
}

bool psog_in_field(const struct psog_model *model, const float target_deg[2])
{
    for (uint32_t axis = 0; axis < PSOG_GAZE_OUTPUTS; axis++)
        if (!(target_deg[axis] >= -model->field_deg[axis] && target_deg[axis] <= model->field_deg[axis]))
            return false;
    return true;
}

static float prior(const struct psog_model *model, uint32_t row, uint32_t column)
{
    return psog_get_f32(model->head + 4u * (row * (model->features + 1u) + column));
}

enum psog_error psog_tune_add(struct psog_tune *tune, const int8_t *features, const float target_deg[2])
{
    const struct psog_model *model = tune->model;
    uint32_t width = model->features + 1u;
    float real[PSOG_MAX_FEATURES + 1u];
    float error[PSOG_GAZE_OUTPUTS];

    if (tune->solved)
        return PSOG_ERR_STATE;
    if (!psog_in_field(model, target_deg))
        return PSOG_ERR_RANGE;
    for (uint32_t i = 0; i < model->features; i++)
        real[i] = model->feature_scale * (float)(features[i] - model->feature_zero);
    real[model->features] = 1.0f;
    for (uint32_t row = 0; row < PSOG_GAZE_OUTPUTS; row++) {
        error[row] = target_deg[row];
        for (uint32_t i = 0; i < width; i++)
            error[row] -= prior(model, row, i) * real[i];
        for (uint32_t i = 0; i < width; i++)
            tune->moment[row][i] += error[row] * real[i];
        tune->residual += error[row] * error[row];
    }
    float *entry = tune->gram;
    for (uint32_t row = 0; row < width; row++)
        for (uint32_t column = 0; column <= row; column++)
            *entry++ += real[row] * real[column];
    tune->samples++;
    return PSOG_OK;
}

/* The lower triangle a becomes its Cholesky factor. False when a is not positive definite, or not finite. */
static bool factorize(float *a, uint32_t width)
{
    for (uint32_t row = 0; row < width; row++) {
        for (uint32_t column = 0; column <= row; column++) {
            float sum = a[at(row, column)];
            for (uint32_t k = 0; k < column; k++)
                sum -= a[at(row, k)] * a[at(column, k)];
            if (column < row) {
                a[at(row, column)] = sum / a[at(column, column)];
            } else {
                if (!(sum > 0.0f && psog_is_finite(sum)))
                    return false;
                a[at(row, row)] = sqrtf(sum);
            }
        }
    }
    return true;
}

/* x becomes the solution of L Lᵀ x = x. */
static void substitute(const float *factor, uint32_t width, float *x)
{
    for (uint32_t row = 0; row < width; row++) {
        for (uint32_t k = 0; k < row; k++)
            x[row] -= factor[at(row, k)] * x[k];
        x[row] /= factor[at(row, row)];
    }
    for (uint32_t row = width; row-- > 0;) {
        for (uint32_t k = row + 1u; k < width; k++)
            x[row] -= factor[at(k, row)] * x[k];
        x[row] /= factor[at(row, row)];
    }
}

/* Solves for one output's step in place of its moment. Returns by how much the mean square error falls:
 * with A = G/n + λI and A d = m/n that is 2 d·m/n − dᵀGd/n = d·m/n + λ d·d, which needs no copy of G. */
static float solve_row(const struct psog_tune *tune, float *moment)
{
    uint32_t width = tune->model->features + 1u;
    float gain = 0.0f;
    float scale = 1.0f / (float)tune->samples;
    float first[PSOG_MAX_FEATURES + 1u];
    for (uint32_t i = 0; i < width; i++)
        first[i] = moment[i] *= scale;
    substitute(tune->gram, width, moment);
    for (uint32_t i = 0; i < width; i++)
        gain += moment[i] * first[i] + tune->model->ridge * moment[i] * moment[i];
    return gain;
}

enum psog_error psog_tune_solve(struct psog_tune *tune, float *head, struct psog_fit *fit)
{
    const struct psog_model *model = tune->model;
    uint32_t width = model->features + 1u;
    float scale = 1.0f / (float)tune->samples;

    if (tune->solved)
        return PSOG_ERR_STATE;
    if (tune->samples == 0)
        return PSOG_ERR_TOO_FEW;
    tune->solved = true;
    for (uint32_t i = 0; i < width * (width + 1u) / 2u; i++)
        tune->gram[i] *= scale;
    for (uint32_t i = 0; i < width; i++)
        tune->gram[at(i, i)] += model->ridge;
    if (!factorize(tune->gram, width))
        return PSOG_ERR_RANGE;
    float before = tune->residual * scale;
    float after = before;
    for (uint32_t row = 0; row < PSOG_GAZE_OUTPUTS; row++)
        after -= solve_row(tune, tune->moment[row]);
    if (!psog_is_finite(before) || !psog_is_finite(after))
        return PSOG_ERR_RANGE;
    for (uint32_t i = 0; i < PSOG_GAZE_OUTPUTS * width; i++)
        if (!psog_is_finite(tune->moment[0][i]))
            return PSOG_ERR_RANGE;
    psog_head_load(model, head);
    for (uint32_t i = 0; i < PSOG_GAZE_OUTPUTS * width; i++)
        head[i] += tune->moment[0][i];
    /* Rounding may carry a perfect fit just below zero. */
    *fit = (struct psog_fit){tune->samples, sqrtf(before), sqrtf(after > 0.0f ? after : 0.0f)};
    return PSOG_OK;
}
