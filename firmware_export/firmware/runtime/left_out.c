/* How far off the fitted gaze is: on the samples, and on each target had it been left out.
 * psog/net/left_out.py is the reference. */
#include <math.h>

#include "bytes.h"
#include "samples.h"

/* y −= factor · x, of a target's samples. */
static inline void subtract(float y[K], float factor, const float x[K])
{
    y[0] -= factor * x[0];
    y[1] -= factor * x[1];
    y[2] -= factor * x[2];
    y[3] -= factor * x[3];
}

/* to = factor · y. */
static inline void scale(float to[K], float factor, const float y[K])
{
    to[0] = factor * y[0];
    to[1] = factor * y[1];
    to[2] = factor * y[2];
    to[3] = factor * y[3];
}

/* x, the features of a target's samples, becomes L⁻¹x. Two rows in one turn, as in tune.c. */
static void substitute(const float *factor, uint32_t width, float *x)
{
    const float *row = factor;
    uint32_t i = width % 2u; /* of an odd number the first stands alone */
    if (i == 1)
        scale(x, *row++, x);
    for (; i < width; i += 2u) {
        const float *next = row + i + 1u;
        float *own = x + K * i;
        float y[K] = {own[0], own[1], own[2], own[3]};
        float z[K] = {own[4], own[5], own[6], own[7]};
        for (const float *above = x; above < own; above += K) {
            subtract(y, *row++, above);
            subtract(z, *next++, above);
        }
        scale(own, *row, y);
        subtract(z, *next++, own);
        scale(own + K, *next++, z);
        row = next;
    }
}

/* error, of the fit, becomes what it would be without the target: (I − H)⁻¹ error, with
 * H = F (FᵀF + nλI)⁻¹ Fᵀ = yᵀy. False when float32 does not tell H from I. */
static bool leave_out(const float *y, uint32_t width, float error[PSOG_GAZE_OUTPUTS][K])
{
    float r00 = 1.0f, r10 = 0.0f, r11 = 1.0f, r20 = 0.0f, r21 = 0.0f, r22 = 1.0f;
    float r30 = 0.0f, r31 = 0.0f, r32 = 0.0f, r33 = 1.0f;
    for (const float *end = y + K * width; y < end; y += K) {
        r00 -= y[0] * y[0];
        r10 -= y[1] * y[0];
        r11 -= y[1] * y[1];
        r20 -= y[2] * y[0];
        r21 -= y[2] * y[1];
        r22 -= y[2] * y[2];
        r30 -= y[3] * y[0];
        r31 -= y[3] * y[1];
        r32 -= y[3] * y[2];
        r33 -= y[3] * y[3];
    }
    float rest[] = {r00, r10, r11, r20, r21, r22, r30, r31, r32, r33};
    if (!psog_factorize(rest, K))
        return false;
    for (uint32_t axis = 0; axis < PSOG_GAZE_OUTPUTS; axis++)
        psog_substitute(rest, K, error[axis]);
    return true;
}

/* Of the targets' places along an axis, less their mean. Twice over the targets, for the mean's sake. */
static float variance(const struct psog_samples *samples, uint32_t axis)
{
    float sum = 0.0f, squares = 0.0f;
    for (uint32_t index = 0; index < samples->targets; index++)
        sum += psog_target(samples, index)->target_deg[axis];
    for (uint32_t index = 0; index < samples->targets; index++) {
        float off = psog_target(samples, index)->target_deg[axis] - sum / (float)samples->targets;
        squares += off * off;
    }
    return squares / (float)samples->targets;
}

/* Share of it that this mean squared error is; all of it where targets do not tell this axis. */
static float share_of(float error, float variance)
{
    return error < variance ? error / variance : 1.0f;
}

enum psog_error psog_judge_rows(const struct psog_samples *samples, const float *factor, float *x,
                                const float *rows, struct psog_fit *fit)
{
    uint32_t width = samples->model->features + 1u;
    float before = 0.0f, in_use = 0.0f, after = 0.0f, worst = 0.0f;
    uint32_t readings = 0;
    float left_out[PSOG_GAZE_OUTPUTS] = {0}; /* mean squared error along each axis */
    for (uint32_t index = 0; index < samples->targets; index++) {
        const struct psog_target *target = psog_target(samples, index);
        float error[PSOG_GAZE_OUTPUTS][K];
        psog_real_features(samples, target, x);
        psog_errors(target, x, width, rows, error);
        readings += target->readings;
        before += target->residual;
        in_use += target->in_use;
        after += psog_dot(error[0], error[0]) + psog_dot(error[1], error[1]);
        substitute(factor, width, x);
        if (!leave_out(x, width, error))
            return PSOG_ERR_RANGE;
        float right = psog_dot(error[0], error[0]) / (float)target->count;
        float up = psog_dot(error[1], error[1]) / (float)target->count;
        left_out[0] += right / (float)samples->targets;
        left_out[1] += up / (float)samples->targets;
        worst = right + up > worst ? right + up : worst;
    }
    float shares[] = {share_of(left_out[0], variance(samples, 0)),
                      share_of(left_out[1], variance(samples, 1))};
    *fit = (struct psog_fit){
        .samples = readings,
        .targets = samples->targets,
        .before_deg = sqrtf(before / (float)readings),
        .after_deg = sqrtf(after / (float)samples->count),
        .left_out_deg = sqrtf(left_out[0] + left_out[1]),
        .left_out_worst_deg = sqrtf(worst),
        .in_use_deg = sqrtf(in_use / (float)samples->count),
        .unexplained = shares[0] > shares[1] ? shares[0] : shares[1],
    };
    bool finite = psog_is_finite(fit->before_deg + fit->in_use_deg) &&
                  psog_is_finite(fit->after_deg + fit->left_out_deg);
    return finite ? PSOG_OK : PSOG_ERR_RANGE;
}

static bool one_target_is_better(const struct psog_fit *fit, bool calibrated)
{
    float least_deg = calibrated ? PSOG_ONE_TARGET_DEG : 0.0f;
    return fit->in_use_deg > least_deg && fit->after_deg < PSOG_BETTER_SHARE * fit->in_use_deg;
}

enum psog_error psog_fit_verdict(const struct psog_fit *fit, bool calibrated)
{
    if (fit->targets == 1)
        return one_target_is_better(fit, calibrated) ? PSOG_OK : PSOG_ERR_NOT_BETTER;
    bool follows = fit->unexplained <= PSOG_MOST_UNEXPLAINED; /* NaN does neither */
    bool better = fit->left_out_deg < PSOG_BETTER_SHARE * fit->in_use_deg;
    return follows && better ? PSOG_OK : PSOG_ERR_NOT_BETTER;
}
