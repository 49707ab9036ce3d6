/* What is kept of a calibration's targets, for the files that make something of it. */
#ifndef PSOG_SAMPLES_H
#define PSOG_SAMPLES_H

#include "psog.h"

#define K PSOG_SAMPLES_PER_TARGET

/* One target, as it lies in the caller's buffer. */
struct psog_target {
    float target_deg[PSOG_GAZE_OUTPUTS];
    float residual;    /* Σ |target − gaze|² of all readings by the population's network and head */
    float in_use;      /* Σ |target − gaze|² of the samples by what is in use */
    uint16_t readings; /* kept or not */
    uint16_t count;    /* of samples, 1 … K */
    int8_t values[];   /* K × samples->value_bytes: inputs, or features once they are known */
};

/* Target `index`, below samples->targets. */
static inline struct psog_target *psog_target(const struct psog_samples *samples, uint32_t index)
{
    return (struct psog_target *)(samples->bytes + index * PSOG_TARGET_BYTES(samples->value_bytes));
}

/* The user's numbers from samples that are inputs (embedding.c). */
enum psog_error psog_find_numbers(const struct psog_samples *samples, float *numbers);

/* What follows takes samples that are features; width is features + 1 (tune.c). */

/* x: width rows of K, feature i of each sample, real; the last are ones. 0 for samples that are not there. */
void psog_real_features(const struct psog_samples *samples, const struct psog_target *target, float *x);

/* Target − gaze of each sample, degrees, by these gaze rows; 0 for samples that are not there. */
void psog_errors(const struct psog_target *target, const float *x, uint32_t width, const float *rows,
                 float error[PSOG_GAZE_OUTPUTS][K]);

static inline float psog_dot(const float a[K], const float b[K])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

/* A symmetric matrix, its lower triangle row by row, becomes its Cholesky factor, with 1/d for each d of the
 * diagonal. False when it is not positive definite, or not finite. */
bool psog_factorize(float *a, uint32_t width);

/* x becomes the solution of L Lᵀ x = x. */
void psog_substitute(const float *factor, uint32_t width, float *x);

/* The gaze rows fitted to all samples. factor: becomes the lower triangle of the Cholesky factor of
 * FᵀF + nλI, as psog_factorize leaves it. x: scratch, width × K. */
enum psog_error psog_fit_rows(const struct psog_samples *samples, float *factor, float *x, float *rows);

/* What struct psog_fit says of fitted rows (left_out.c). */
enum psog_error psog_judge_rows(const struct psog_samples *samples, const float *factor, float *x,
                                const float *rows, struct psog_fit *fit);

#endif
