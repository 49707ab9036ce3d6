/* What the application makes of readings, as part of the shared library: whole arrays at once. */
#include <string.h>

#include "light.h"
#include "lids.h"
#include "stillness.h"
#include "tuning.h"

/* One wearer's headset, from reading to reading. */
struct headset {
    struct psog_model model;
    const float *rows;     /* a user's in use, or NULL */
    const int32_t *biases; /* a user's in use, or NULL */
    struct lids lids;
    struct stillness stillness;
    uint64_t t_us; /* of the next reading */
    uint32_t step_us;
    uint32_t activations[PSOG_MAX_WORK_BYTES / 4u];
};

/* The gaze by what is in use, as app/reading.c has it. */
static enum psog_error look(struct headset *headset, const uint16_t *readings, int8_t *features,
                            float output[PSOG_OUTPUTS], struct tuning_seen *seen)
{
    enum psog_error error = psog_infer(&headset->model, headset->biases, readings, headset->activations,
                                       sizeof headset->activations, features);
    psog_head_apply(&headset->model, headset->rows, features, output);
    *seen = (struct tuning_seen){
        .readings = readings,
        .features = features,
        .in_use_deg = output,
        .saturates = light_saturates(readings, headset->model.sensors),
    };
    if (!seen->saturates)
        seen->is_open = lids_open(&headset->lids, headset->t_us, output[PSOG_OPENNESS]);
    seen->is_still = stillness_rests(&headset->stillness, headset->t_us, output, seen->is_open);
    headset->t_us += headset->step_us;
    return error;
}

/* Gaze by a user's rows and biases, or the population's for NULL, and what GAZE's flags say of it.
 * readings: (count, sensors), step_us apart. outputs: (count, PSOG_OUTPUTS). flags: (count). */
enum psog_error psog_host_track(const uint8_t *image, size_t image_bytes, const float *rows,
                                const int32_t *biases, const uint16_t *readings, size_t count,
                                uint32_t step_us, float *outputs, uint8_t *flags)
{
    struct headset headset = {.rows = rows, .biases = biases, .step_us = step_us};
    int8_t features[PSOG_MAX_FEATURES];
    struct tuning_seen seen;
    enum psog_error error = psog_model_open(&headset.model, image, image_bytes);
    for (size_t i = 0; error == PSOG_OK && i < count; i++) {
        error = look(&headset, readings, features, outputs, &seen);
        flags[i] = (uint8_t)((seen.saturates ? PSOG_GAZE_FLAG_SATURATED : 0u) |
                             (seen.is_open ? PSOG_GAZE_FLAG_VALID : 0u) |
                             (seen.is_still ? PSOG_GAZE_FLAG_STILL : 0u));
        readings += headset.model.sensors;
        outputs += PSOG_OUTPUTS;
    }
    return error;
}

/* The targets' readings into the calibration. PSOG_ERR_TOO_FEW where a target does not have enough. */
static enum psog_error take(struct headset *headset, struct tuning *tuning, const uint16_t *readings,
                            const float *target_deg, size_t targets, uint16_t offered, uint16_t wanted)
{
    for (size_t target = 0; target < targets; target++) {
        enum psog_error error = tuning_target(tuning, target_deg + 2u * target, wanted);
        const uint16_t *next = readings + target * offered * headset->model.sensors;
        for (uint32_t i = 0; error == PSOG_OK && i < offered && tuning->phase == TUNING_TARGET; i++) {
            int8_t features[PSOG_MAX_FEATURES];
            float output[PSOG_OUTPUTS];
            struct tuning_seen seen;
            error = look(headset, next, features, output, &seen);
            if (error == PSOG_OK && headset->biases)
                error = psog_infer(&headset->model, NULL, next, headset->activations,
                                   sizeof headset->activations, features);
            (void)tuning_reading(tuning, &seen);
            next += headset->model.sensors;
        }
        if (error != PSOG_OK)
            return error;
        if (tuning->phase != TUNING_READY || tuning->samples.added < wanted)
            return PSOG_ERR_TOO_FEW;
    }
    return PSOG_OK;
}

/* A calibration of a headset in use, up to its verdict, as the application carries it out.
 * rows, biases: in use. readings: (targets, offered, sensors), step_us apart; the first `wanted` of an open
 * eye at rest count. target_deg: (targets, 2). user: the trial, when there is one. */
enum psog_error psog_host_tune(const uint8_t *image, size_t image_bytes, const float *rows,
                               const int32_t *biases, const uint16_t *readings, const float *target_deg,
                               size_t targets, uint16_t offered, uint16_t wanted, uint32_t step_us,
                               const struct psog_user *user, struct psog_fit *fit)
{
    struct headset headset = {.rows = rows, .biases = biases, .step_us = step_us};
    struct tuning tuning;
    enum psog_error error = psog_model_open(&headset.model, image, image_bytes);
    if (error != PSOG_OK)
        return error;
    tuning_begin(&tuning, &headset.model);
    error = take(&headset, &tuning, readings, target_deg, targets, offered, wanted);
    if (error == PSOG_OK)
        error = tuning_solve(&tuning, headset.activations, sizeof headset.activations);
    if (error != PSOG_OK)
        return error;
    *fit = tuning.fit;
    memcpy(user->rows, tuning.trial_rows, PSOG_ROWS_FLOATS(headset.model.features) * sizeof *user->rows);
    memcpy(user->biases, tuning.kept.biases, headset.model.biases * sizeof *user->biases);
    return tuning_verdict(&tuning, rows != NULL);
}
