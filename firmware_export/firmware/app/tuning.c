#include "tuning.h"

#include "protocol.h"

enum psog_error tuning_begin(struct tuning *tuning, const struct psog_model *model)
{
    tuning->phase = TUNING_READY;
    tuning->targets = 0;
    return psog_tune_begin(&tuning->tune, model, tuning->work, PSOG_MAX_TUNE_FLOATS);
}

enum psog_error tuning_target(struct tuning *tuning, const float target_deg[2], uint16_t samples)
{
    if (tuning->phase != TUNING_READY)
        return PSOG_ERR_STATE;
    if (samples == 0 || !psog_in_field(tuning->tune.model, target_deg))
        return PSOG_ERR_RANGE;
    tuning->phase = TUNING_TARGET;
    tuning->target_deg[0] = target_deg[0];
    tuning->target_deg[1] = target_deg[1];
    tuning->wanted = samples;
    tuning->added = 0;
    tuning->rejected = 0;
    return PSOG_OK;
}

bool tuning_reading(struct tuning *tuning, const int8_t *features, float openness)
{
    if (tuning->phase != TUNING_TARGET)
        return false;
    bool is_open = openness >= PSOG_OPENNESS_BORDER;
    if (is_open && psog_tune_add(&tuning->tune, features, tuning->target_deg) == PSOG_OK)
        tuning->added++;
    else
        tuning->rejected++;
    if (tuning->added < tuning->wanted && tuning->rejected < UINT16_MAX)
        return false;
    if (tuning->added > 0)
        tuning->targets++;
    tuning->phase = TUNING_READY;
    return true;
}

enum psog_error tuning_solve(struct tuning *tuning)
{
    if (tuning->phase != TUNING_READY)
        return PSOG_ERR_STATE;
    if (tuning->targets < TUNING_MIN_TARGETS)
        return PSOG_ERR_TOO_FEW;
    enum psog_error error = psog_tune_solve(&tuning->tune, tuning->head, &tuning->fit);
    tuning->phase = error == PSOG_OK ? TUNING_TRIAL : TUNING_NONE; /* either way the samples are used up */
    return error;
}

void tuning_discard(struct tuning *tuning)
{
    tuning->phase = TUNING_NONE;
}
