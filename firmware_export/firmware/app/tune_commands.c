#include "tune_commands.h"

#include "bytes.h"

enum psog_error tune_begin(struct app *app, const uint8_t *payload)
{
    (void)payload;
    if (!app_has_model(app))
        return PSOG_ERR_NO_MODEL;
    if (app->installed.trial) /* a calibration would take the place of the confirmed model's */
        return PSOG_ERR_STATE;
    tuning_begin(&app->tuning, &app->model);
    return PSOG_OK;
}

enum psog_error tune_target(struct app *app, const uint8_t *payload)
{
    const float target_deg[] = {
        psog_get_f32(payload + PSOG_TUNE_TARGET_TARGET_H_DEG_OFFSET),
        psog_get_f32(payload + PSOG_TUNE_TARGET_TARGET_V_DEG_OFFSET),
    };
    return tuning_target(&app->tuning, target_deg, psog_get_u16(payload + PSOG_TUNE_TARGET_SAMPLES_OFFSET));
}

enum psog_error tune_forget(struct app *app, const uint8_t *payload)
{
    const float target_deg[] = {
        psog_get_f32(payload + PSOG_TUNE_FORGET_TARGET_H_DEG_OFFSET),
        psog_get_f32(payload + PSOG_TUNE_FORGET_TARGET_V_DEG_OFFSET),
    };
    return tuning_forget(&app->tuning, target_deg);
}

enum psog_error tune_solve(struct app *app, const uint8_t *payload)
{
    (void)payload;
    return tuning_solve(&app->tuning, app->work.solve, sizeof app->work.solve);
}

void forget_wearer(struct app *app)
{
    tuning_discard(&app->tuning);
    memset(&app->work, 0, sizeof app->work);
}

enum psog_error tune_accept(struct app *app, const uint8_t *payload)
{
    (void)payload;
    enum psog_error error = tuning_verdict(&app->tuning, app_calibrated(app));
    if (error != PSOG_OK)
        return error;
    struct psog_kept kept = app->kept; /* seen as the headset's sensors are seen now */
    kept.rows = app->tuning.trial_rows;
    kept.biases = app->tuning.kept.biases;
    error = psog_calibration_save(&app->store, &app->model, &kept, (uint8_t *)app->work.solve);
    app_load_kept(app); /* what was in use may be gone even when this one could not be written */
    if (error == PSOG_OK)
        forget_wearer(app);
    return error;
}

enum psog_error tune_discard(struct app *app, const uint8_t *payload)
{
    (void)payload;
    forget_wearer(app);
    return PSOG_OK;
}

enum psog_error calibration_erase(struct app *app, const uint8_t *payload)
{
    (void)payload;
    forget_wearer(app); /* it was compared with what is in use, and is a user's too */
    enum psog_error error = psog_calibration_erase(&app->store);
    app_load_kept(app); /* what was in use may be gone even when not all could be erased */
    return error;
}
