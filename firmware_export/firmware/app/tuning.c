#include "tuning.h"

#include <string.h>

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
    tuning->rejected = tuning->saturated = tuning->moving = 0;
    return PSOG_OK;
}

enum psog_error tuning_forget(struct tuning *tuning, const float target_deg[2])
{
    if (tuning->phase != TUNING_READY && tuning->phase != TUNING_TARGET)
        return PSOG_ERR_STATE;
    enum psog_error error = psog_samples_forget(&tuning->samples, target_deg);
    if (tuning->phase == TUNING_TARGET && tuning->samples.wanted == 0) { /* it was the one being taken */
        tuning->phase = TUNING_READY;
        return PSOG_OK;
    }
    return error;
}

bool tuning_reading(struct tuning *tuning, const struct tuning_seen *seen)
{
    if (seen->saturates)
        tuning->saturated++;
    else if (!seen->is_open)
        tuning->rejected++;
    else if (!seen->is_still)
        tuning->moving++;
    else
        psog_samples_add(&tuning->samples, seen->readings, seen->features, seen->in_use_deg);
    if (tuning->samples.added < tuning->samples.wanted && tuning->rejected < UINT16_MAX &&
        tuning->saturated < UINT16_MAX && tuning->moving < UINT16_MAX)
        return false;
    tuning->phase = TUNING_READY;
    return true;
}

enum psog_error tuning_solve(struct tuning *tuning, void *work, size_t work_bytes)
{
    const struct psog_user user = {tuning->trial_rows, tuning->trial_numbers, tuning->kept.biases};
    if (tuning->phase != TUNING_READY)
        return PSOG_ERR_STATE;
    if (tuning->samples.targets == 0)
        return PSOG_ERR_TOO_FEW;
    enum psog_error error = psog_samples_solve(&tuning->samples, work, work_bytes, &user, &tuning->fit);
    if (error == PSOG_OK)
        tuning->phase = TUNING_TRIAL;
    else
        tuning_discard(tuning); /* the samples are used up */
    return error;
}

enum psog_error tuning_verdict(const struct tuning *tuning, bool calibrated)
{
    return tuning->phase == TUNING_TRIAL ? psog_fit_verdict(&tuning->fit, calibrated) : PSOG_ERR_STATE;
}

bool tuning_can_receive(const struct tuning *tuning)
{
    return tuning->phase == TUNING_NONE || tuning->phase == TUNING_RECEIVING;
}

enum psog_error tuning_receive(struct tuning *tuning, uint32_t offset, uint32_t total, const uint8_t *bytes,
                               uint32_t count)
{
    if (offset == 0)
        tuning_discard(tuning);
    if (offset != tuning->received || count < 1 || count > PSOG_MAX_PIECE_BYTES || offset + count > total ||
        total > sizeof tuning->kept.record)
        return PSOG_ERR_RANGE;
    memcpy(tuning->kept.record + offset, bytes, count);
    tuning->received = (uint16_t)(offset + count);
    tuning->phase = TUNING_RECEIVING;
    return PSOG_OK;
}

void tuning_wear_begin(struct tuning *tuning, const struct psog_model *model, uint16_t readings)
{
    tuning_discard(tuning);
    psog_wear_begin(&tuning->kept.standard.wear, model->sensors, readings);
    tuning->phase = TUNING_WEAR;
}

void tuning_wear(struct tuning *tuning, const uint16_t *readings, bool saturates)
{
    if (!saturates)
        psog_wear_add(&tuning->kept.standard.wear, readings);
    else if (tuning->saturated < UINT16_MAX)
        tuning->saturated++;
}

void tuning_discard(struct tuning *tuning)
{
    memset(tuning, 0, sizeof *tuning);
}
