#include "tuning.h"

#include "protocol.h"

void tuning_begin(struct tuning *tuning, const struct psog_model *model)
{
    tuning->phase = TUNING_READY;
    psog_samples_begin(&tuning->samples, model, tuning->kept.samples, sizeof tuning->kept.samples);
}

enum psog_error tuning_target(struct tuning *tuning, const float target_deg[2], uint16_t samples)
{
    if (tuning->phase != TUNING_READY)
        return PSOG_ERR_STATE;
    enum psog_error error = psog_samples_target(&tuning->samples, target_deg, samples);
    if (error != PSOG_OK)
        return error;
    tuning->phase = TUNING_TARGET;
    tuning->rejected = 0;
    return PSOG_OK;
}

bool tuning_reading(struct tuning *tuning, const uint16_t *readings, const int8_t *features, bool is_open)
{
    if (is_open)
        psog_samples_add(&tuning->samples, readings, features);
    else
        tuning->rejected++;
    if (tuning->samples.added < tuning->samples.wanted && tuning->rejected < UINT16_MAX)
        return false;
    tuning->phase = TUNING_READY;
    return true;
}

enum psog_error tuning_solve(struct tuning *tuning, void *work, size_t work_bytes)
{
    const struct psog_user user = {tuning->trial_rows, tuning->trial_numbers, tuning->kept.biases};
    if (tuning->phase != TUNING_READY)
        return PSOG_ERR_STATE;
    if (tuning->samples.targets < TUNING_MIN_TARGETS)
        return PSOG_ERR_TOO_FEW;
    enum psog_error error = psog_samples_solve(&tuning->samples, work, work_bytes, &user, &tuning->fit);
    tuning->phase = error == PSOG_OK ? TUNING_TRIAL : TUNING_NONE; /* either way the samples are used up */
    return error;
}

void tuning_discard(struct tuning *tuning)
{
    tuning->phase = TUNING_NONE;
}
