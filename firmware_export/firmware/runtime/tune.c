/* The head's gaze rows fitted to a user: normal equations, and one Cholesky solve in place.
 * psog/net/ridge.py is the reference. */
#include <math.h>

#include "bytes.h"
#include "samples.h"

#if PSOG_SAMPLES_PER_TARGET != 4
#error "loops over the samples of a target are written out"
#endif

void psog_real_features(const struct psog_samples *samples, const struct psog_target *target, float *x)
{
    const struct psog_model *model = samples->model;
    for (uint32_t k = 0; k < K; k++, x++) {
        const int8_t *features = target->values + k * samples->value_bytes;
        bool there = k < target->count;
        float step = there ? model->feature_scale : 0.0f;
        for (uint32_t i = 0; i < model->features; i++)
            x[K * i] = step * (float)(features[i] - model->feature_zero);
        x[K * model->features] = there ? 1.0f : 0.0f;
    }
}

void psog_errors(const struct psog_target *target, const float *x, uint32_t width, const float *rows,
                 float error[PSOG_GAZE_OUTPUTS][K])
{
    const float *there = x + K * (width - 1u);
    float right[K], up[K];
    for (uint32_t k = 0; k < K; k++) {
        right[k] = there[k] * target->target_deg[0];
        up[k] = there[k] * target->target_deg[1];
    }
    for (uint32_t i = 0; i < width; i++, x += K) {
        float first = rows[i];
        float second = rows[width + i];
        right[0] -= first * x[0];
        right[1] -= first * x[1];
        right[2] -= first * x[2];
        right[3] -= first * x[3];
        up[0] -= second * x[0];
        up[1] -= second * x[1];
        up[2] -= second * x[2];
        up[3] -= second * x[3];
    }
    memcpy(error[0], right, sizeof right);
    memcpy(error[1], up, sizeof up);
}

/* Adds a target's samples to FᵀF, its lower triangle row by row. Two rows in one turn: most of the work is to
 * fetch what they are multiplied with. */
static void add_products(const float *x, uint32_t width, float *gram)
{
    uint32_t row = width % 2u; /* of an odd number the first stands alone */
    if (row == 1)
        *gram++ += psog_dot(x, x);
    for (; row < width; row += 2u) {
        const float *own = x + K * row;
        float *second = gram + row + 1u;
        float a0 = own[0], a1 = own[1], a2 = own[2], a3 = own[3];
        float b0 = own[4], b1 = own[5], b2 = own[6], b3 = own[7];
        for (const float *other = x; other <= own; other += K) {
            float x0 = other[0], x1 = other[1], x2 = other[2], x3 = other[3];
            *gram++ += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3;
            *second++ += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3;
        }
        *second += psog_dot(own + K, own + K);
        gram = second + 1;
    }
}

/* Adds them to Fᵀ(T − F W₀). */
static void add_moments(const float *x, uint32_t width, const float error[PSOG_GAZE_OUTPUTS][K],
                        float *moments)
{
    for (uint32_t axis = 0; axis < PSOG_GAZE_OUTPUTS; axis++)
        for (uint32_t i = 0; i < width; i++)
            *moments++ += psog_dot(x + K * i, error[axis]);
}

/* The first `row` entries of a row of the matrix become the factor's; two at a time, as above. */
static void factorize_row(const float *factor, float *own, uint32_t row)
{
    const float *above = factor;
    uint32_t i = row % 2u;
    if (i == 1)
        own[0] *= *above++;
    for (; i < row; i += 2u) {
        const float *next = above + i + 1u;
        float a = own[i], b = own[i + 1u];
        for (const float *entry = own; entry < own + i; entry++) {
            a -= *entry * *above++;
            b -= *entry * *next++;
        }
        own[i] = a * *above;
        b -= own[i] * *next++;
        own[i + 1u] = b * *next++;
        above = next;
    }
}

bool psog_factorize(float *a, uint32_t width)
{
    float *row = a;
    for (uint32_t i = 0; i < width; row += ++i) {
        factorize_row(a, row, i);
        float sum = row[i];
        for (uint32_t k = 0; k < i; k++)
            sum -= row[k] * row[k];
        if (!(sum > 0.0f && psog_is_finite(sum)))
            return false;
        row[i] = 1.0f / sqrtf(sum);
    }
    return true;
}

void psog_substitute(const float *factor, uint32_t width, float *x)
{
    const float *row = factor;
    for (uint32_t i = 0; i < width; row += ++i) {
        float sum = x[i];
        for (uint32_t k = 0; k < i; k++)
            sum -= row[k] * x[k];
        x[i] = sum * row[i];
    }
    for (uint32_t i = width; i-- > 0;) {
        row -= i + 1u;
        float found = x[i] *= row[i];
        for (uint32_t k = 0; k < i; k++)
            x[k] -= row[k] * found;
    }
}

enum psog_error psog_fit_rows(const struct psog_samples *samples, float *factor, float *x, float *rows)
{
    const struct psog_model *model = samples->model;
    uint32_t width = model->features + 1u;
    const float *prior = (const float *)(const void *)model->head;
    float strength = (float)samples->count * model->ridge;
    memset(rows, 0, PSOG_GAZE_OUTPUTS * width * sizeof *rows); /* moments, then steps, then rows */
    float *entry = factor;
    for (uint32_t row = 0; row < width; row++)
        for (uint32_t i = 0; i <= row; i++)
            *entry++ = i == row ? strength : 0.0f;
    for (uint32_t index = 0; index < samples->targets; index++) {
        const struct psog_target *target = psog_target(samples, index);
        float error[PSOG_GAZE_OUTPUTS][K];
        psog_real_features(samples, target, x);
        psog_errors(target, x, width, prior, error);
        add_products(x, width, factor);
        add_moments(x, width, error, rows);
    }
    if (!psog_factorize(factor, width))
        return PSOG_ERR_RANGE;
    psog_substitute(factor, width, rows);
    psog_substitute(factor, width, rows + width);
    for (uint32_t i = 0; i < PSOG_GAZE_OUTPUTS * width; i++) {
        rows[i] += prior[i];
        if (!psog_is_finite(rows[i]))
            return PSOG_ERR_RANGE;
    }
    return PSOG_OK;
}
