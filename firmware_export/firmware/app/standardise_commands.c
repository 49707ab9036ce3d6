#include "standardise_commands.h"

#include "bytes.h"
#include "tune_commands.h"

enum psog_error standardise_begin(struct app *app, const uint8_t *payload)
{
    uint16_t samples = psog_get_u16(payload + PSOG_STANDARDISE_BEGIN_SAMPLES_OFFSET);
    if (!app_has_model(app))
        return PSOG_ERR_NO_MODEL;
    if (app->installed.trial) /* it would take the place of the confirmed model's calibration */
        return PSOG_ERR_STATE;
    if (samples == 0 || !psog_calibration_has_room(&app->model))
        return PSOG_ERR_RANGE;
    tuning_wear_begin(&app->tuning, &app->model, samples);
    return PSOG_OK;
}

enum psog_error standardise_read(struct app *app, const uint8_t *payload)
{
    (void)payload;
    return app->tuning.phase == TUNING_WEAR ? PSOG_OK : PSOG_ERR_STATE;
}

void reply_standardise_means(struct app *app, uint16_t sequence)
{
    uint8_t payload[PSOG_MSG_STANDARDISE_MEANS_SIZE + 2u * PSOG_MAX_SENSORS];
    const struct psog_wear *wear = &app->tuning.kept.standard.wear;
    psog_put_u16(payload + PSOG_STANDARDISE_MEANS_REPLY_TO_OFFSET, sequence);
    psog_put_u16(payload + PSOG_STANDARDISE_MEANS_WANTED_OFFSET, wear->wanted);
    psog_put_u16(payload + PSOG_STANDARDISE_MEANS_ADDED_OFFSET, wear->added);
    psog_put_u16(payload + PSOG_STANDARDISE_MEANS_SATURATED_OFFSET, app->tuning.saturated);
    payload[PSOG_STANDARDISE_MEANS_COUNT_OFFSET] = (uint8_t)wear->sensors;
    for (uint32_t sensor = 0; sensor < wear->sensors; sensor++)
        psog_put_u16(payload + PSOG_MSG_STANDARDISE_MEANS_SIZE + 2u * sensor, psog_wear_mean(wear, sensor));
    app_reply(app, PSOG_MSG_STANDARDISE_MEANS, payload,
              PSOG_MSG_STANDARDISE_MEANS_SIZE + 2u * (size_t)wear->sensors);
}

/* A calibration goes: it was made of what the network saw before. */
enum psog_error standardise_apply(struct app *app, const uint8_t *payload)
{
    struct tuning_standard *standard = &app->tuning.kept.standard;
    const struct psog_wear *wear = &standard->wear;
    uint16_t means[PSOG_MAX_SENSORS], trained[PSOG_MAX_SENSORS];
    if (app->tuning.phase != TUNING_WEAR || wear->added < wear->wanted)
        return PSOG_ERR_STATE;
    if (payload[PSOG_STANDARDISE_APPLY_COUNT_OFFSET] != app->model.sensors)
        return PSOG_ERR_RANGE;
    for (uint32_t sensor = 0; sensor < app->model.sensors; sensor++) {
        means[sensor] = psog_wear_mean(wear, sensor);
        trained[sensor] = psog_get_u16(payload + PSOG_MSG_STANDARDISE_APPLY_SIZE + 2u * sensor);
    }
    struct psog_kept kept = {.normalisation = standard->normalisation};
    kept.shift = psog_standardise(&app->model, means, trained, standard->normalisation);
    enum psog_error error =
        psog_calibration_save(&app->store, &app->model, &kept, (uint8_t *)app->work.solve);
    app_load_kept(app); /* what was in use may be gone even when this could not be written */
    if (error == PSOG_OK)
        forget_wearer(app);
    return error;
}
