#include "tuning.h"

#include "protocol.h"

enum psog_error tuning_begin(struct tuning *tuning, const struct psog_model *model)
{
    tuning->phase = TUNING_READY;
    tuning->targets = 0;
    psog_samples_begin(&tuning->samples, model, tuning->sample_bytes, sizeof tuning->sample_bytes);
    return psog_tune_begin(&tuning->tune, model, tuning->work, PSOG_MAX_TUNE_FLOATS);
}

/* Whether the network can be told whose eye it sees: then samples are kept. */
static bool tells(const struct tuning *tuning)
{
    return tuning->tune.model->numbers > 0;
}

enum psog_error tuning_target(struct tuning *tuning, const float target_deg[2], uint16_t samples)
{
    if (tuning->phase != TUNING_READY)
        return PSOG_ERR_STATE;
    if (samples == 0 || !psog_in_field(tuning->tune.model, target_deg))
        return PSOG_ERR_RANGE;
    enum psog_error error = PSOG_OK;
    if (tells(tuning))
        error = psog_samples_target(&tuning->samples, target_deg, samples);
    if (error != PSOG_OK)
        return error;
    tuning->phase = TUNING_TARGET;
    tuning->target_deg[0] = target_deg[0];
    tuning->target_deg[1] = target_deg[1];
    tuning->wanted = samples;
    tuning->added = 0;
    tuning->rejected = 0;
    return PSOG_OK;
}

/* Whether the sample was taken. */
static bool add(struct tuning *tuning, const uint16_t *readings, const int8_t *features)
{
    float output[PSOG_OUTPUTS];
    if (!tells(tuning))
        return psog_tune_add(&tuning->tune, features, tuning->target_deg) == PSOG_OK;
    psog_head_apply(tuning->tune.model, NULL, features, output);
    psog_samples_add(&tuning->samples, readings, output);
    return true;
}

bool tuning_reading(struct tuning *tuning, const uint16_t *readings, const int8_t *features, bool is_open)
{
    if (is_open && add(tuning, readings, features))
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

enum psog_error tuning_solve(struct tuning *tuning, int8_t *activations, size_t activation_bytes)
{
    const struct psog_user user = {tuning->user.head, tuning->user.numbers, tuning->user.biases};
    if (tuning->phase != TUNING_READY)
        return PSOG_ERR_STATE;
    if (tuning->targets < TUNING_MIN_TARGETS)
        return PSOG_ERR_TOO_FEW;
    enum psog_error error;
    if (tells(tuning))
        error = psog_samples_solve(&tuning->samples, &tuning->tune, activations, activation_bytes, &user,
                                   &tuning->fit);
    else
        error = psog_tune_solve(&tuning->tune, user.head, &tuning->fit);
    tuning->phase = error == PSOG_OK ? TUNING_TRIAL : TUNING_NONE; /* either way the samples are used up */
    return error;
}

void tuning_discard(struct tuning *tuning)
{
    tuning->phase = TUNING_NONE;
}
