/* Commands from the host: a table, and a function each. docs/SPEC.md. */
#include "app.h"
#include "board.h"
#include "bytes.h"
#include "calibration_commands.h"
#include "standardise_commands.h"
#include "tune_commands.h"

#define ALL_STREAMS (PSOG_STREAM_GAZE | PSOG_STREAM_FEATURES | PSOG_STREAM_SENSORS | PSOG_STREAM_TRIAL)
#define FIRST_REPORT 0x40u /* commands have smaller types */

static enum psog_error nothing(struct app *app, const uint8_t *payload)
{
    (void)app;
    (void)payload;
    return PSOG_OK; /* the answer is all there is to it */
}

static enum psog_error stream_set(struct app *app, const uint8_t *payload)
{
    uint8_t mask = payload[PSOG_STREAM_SET_MASK_OFFSET];
    if (mask & ~ALL_STREAMS)
        return PSOG_ERR_RANGE;
    app->streams = mask;
    return PSOG_OK;
}

static enum psog_error model_begin(struct app *app, const uint8_t *payload)
{
    if (app_has_model(app) && app->installed.trial) { /* the trial has failed: its slot is wanted */
        app_find_model(app, PSOG_SETTLED);
        app_load_kept(app);
    }
    return psog_upload_begin(&app->upload, &app->store, app->installed,
                             psog_get_u32(payload + PSOG_MODEL_BEGIN_IMAGE_BYTES_OFFSET),
                             psog_get_u32(payload + PSOG_MODEL_BEGIN_CRC32_OFFSET));
}

static enum psog_error model_data(struct app *app, const uint8_t *payload)
{
    uint8_t count = payload[PSOG_MODEL_DATA_COUNT_OFFSET];
    if (count > PSOG_MAX_DATA)
        return PSOG_ERR_RANGE;
    return psog_upload_add(&app->upload, psog_get_u32(payload + PSOG_MODEL_DATA_OFFSET_OFFSET),
                           payload + PSOG_MSG_MODEL_DATA_SIZE, count);
}

static enum psog_error model_commit(struct app *app, const uint8_t *payload)
{
    (void)payload;
    enum psog_error error =
        psog_upload_commit(&app->upload, app->sensors, app->work.activations, sizeof app->work.activations,
                           &app->model, &app->installed);
    if (error != PSOG_OK)
        return error;
    tuning_discard(&app->tuning);
    app_load_kept(app);
    return PSOG_OK;
}

static enum psog_error model_confirm(struct app *app, const uint8_t *payload)
{
    (void)payload;
    return psog_store_confirm(&app->store, &app->model, &app->installed);
}

static enum psog_error target_show(struct app *app, const uint8_t *payload)
{
    if (!psog_is_finite(psog_get_f32(payload + PSOG_TARGET_SHOW_TARGET_H_DEG_OFFSET)) ||
        !psog_is_finite(psog_get_f32(payload + PSOG_TARGET_SHOW_TARGET_V_DEG_OFFSET)) ||
        payload[PSOG_TARGET_SHOW_VISIBLE_OFFSET] > 1)
        return PSOG_ERR_RANGE;
    return app_display(app, PSOG_MSG_DISPLAY, payload, PSOG_MSG_DISPLAY_SIZE);
}

static enum psog_error led_set(struct app *app, const uint8_t *payload)
{
    return leds_ask(&app->leds, payload[PSOG_LED_SET_DUTY_PERCENT_OFFSET],
                    psog_get_u16(payload + PSOG_LED_SET_CURRENT_MA_OFFSET));
}

static enum psog_error restart(struct app *app, const uint8_t *payload)
{
    (void)payload;
    app->restarting = true; /* once the answer is out */
    app->streams = 0;
    return PSOG_OK;
}

static enum psog_error time_request(struct app *app, const uint8_t *payload)
{
    (void)payload;
    return app->clock.set ? PSOG_OK : PSOG_ERR_STATE;
}

static const struct command {
    uint8_t type;
    uint8_t size; /* of the payload; where its last field is `count`, so many elements come after it */
    enum psog_error (*carry_out)(struct app *app, const uint8_t *payload);
} COMMANDS[] = {
    {PSOG_MSG_HELLO_REQUEST, PSOG_MSG_HELLO_REQUEST_SIZE, nothing},
    {PSOG_MSG_STREAM_SET, PSOG_MSG_STREAM_SET_SIZE, stream_set},
    {PSOG_MSG_MODEL_BEGIN, PSOG_MSG_MODEL_BEGIN_SIZE, model_begin},
    {PSOG_MSG_MODEL_DATA, PSOG_MSG_MODEL_DATA_SIZE, model_data},
    {PSOG_MSG_MODEL_COMMIT, PSOG_MSG_MODEL_COMMIT_SIZE, model_commit},
    {PSOG_MSG_MODEL_CONFIRM, PSOG_MSG_MODEL_CONFIRM_SIZE, model_confirm},
    {PSOG_MSG_TUNE_BEGIN, PSOG_MSG_TUNE_BEGIN_SIZE, tune_begin},
    {PSOG_MSG_TUNE_TARGET, PSOG_MSG_TUNE_TARGET_SIZE, tune_target},
    {PSOG_MSG_TUNE_FORGET, PSOG_MSG_TUNE_FORGET_SIZE, tune_forget},
    {PSOG_MSG_TUNE_SOLVE, PSOG_MSG_TUNE_SOLVE_SIZE, tune_solve},
    {PSOG_MSG_TUNE_ACCEPT, PSOG_MSG_TUNE_ACCEPT_SIZE, tune_accept},
    {PSOG_MSG_TUNE_DISCARD, PSOG_MSG_TUNE_DISCARD_SIZE, tune_discard},
    {PSOG_MSG_CALIBRATION_ERASE, PSOG_MSG_CALIBRATION_ERASE_SIZE, calibration_erase},
    {PSOG_MSG_TARGET_SHOW, PSOG_MSG_TARGET_SHOW_SIZE, target_show},
    {PSOG_MSG_CALIBRATION_READ, PSOG_MSG_CALIBRATION_READ_SIZE, calibration_read},
    {PSOG_MSG_CALIBRATION_WRITE, PSOG_MSG_CALIBRATION_WRITE_SIZE, calibration_write},
    {PSOG_MSG_STANDARDISE_BEGIN, PSOG_MSG_STANDARDISE_BEGIN_SIZE, standardise_begin},
    {PSOG_MSG_STANDARDISE_READ, PSOG_MSG_STANDARDISE_READ_SIZE, standardise_read},
    {PSOG_MSG_STANDARDISE_APPLY, PSOG_MSG_STANDARDISE_APPLY_SIZE, standardise_apply},
    {PSOG_MSG_RESTART, PSOG_MSG_RESTART_SIZE, restart},
    {PSOG_MSG_STATUS_REQUEST, PSOG_MSG_STATUS_REQUEST_SIZE, nothing},
    {PSOG_MSG_TIME_REQUEST, PSOG_MSG_TIME_REQUEST_SIZE, time_request},
    {PSOG_MSG_LED_SET, PSOG_MSG_LED_SET_SIZE, led_set},
};

static const struct command *find(uint8_t type)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++)
        if (COMMANDS[i].type == type)
            return &COMMANDS[i];
    return NULL;
}

/* Of what a command's last field counts; 0 where it counts nothing. */
static size_t element_bytes(uint8_t type)
{
    if (type == PSOG_MSG_STANDARDISE_APPLY)
        return 2u;
    return type == PSOG_MSG_MODEL_DATA || type == PSOG_MSG_CALIBRATION_WRITE ? 1u : 0u;
}

static size_t expected_size(const struct command *command, const struct psog_frame *frame)
{
    size_t size = command->size;
    if (frame->payload_size < size || size == 0)
        return size;
    return size + frame->payload[size - 1u] * element_bytes(command->type);
}

static enum psog_error carry_out(struct app *app, const struct psog_frame *frame)
{
    const struct command *command = find(frame->type);
    enum psog_error error = PSOG_OK;
    if (command == NULL)
        error = PSOG_ERR_UNKNOWN;
    else if (frame->payload_size != expected_size(command, frame))
        error = PSOG_ERR_LENGTH;
    if (error != PSOG_OK) {
        app->counters.bad_frames++;
        return error;
    }
    return command->carry_out(app, frame->payload);
}

void app_command(struct app *app, const struct psog_frame *frame)
{
    struct answer *last = &app->answer;
    if (frame->type >= FIRST_REPORT) {
        app->counters.bad_frames++; /* an echo, perhaps of our own frames: answering it would never end */
        return;
    }
    bool repeated = last->given && last->command == frame->type && last->sequence == frame->sequence;
    if (!repeated)
        *last = (struct answer){true, frame->type, frame->sequence, carry_out(app, frame)};
    app_answer(app, last);
}
