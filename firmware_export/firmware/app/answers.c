/* What commands are answered with. */
#include "app.h"
#include "board.h"
#include "bytes.h"
#include "calibration_commands.h"
#include "standardise_commands.h"
#include "trust.h"

#define NAME_BYTES 16u

static void reply_hello(struct app *app, uint16_t sequence)
{
    uint8_t payload[PSOG_MSG_HELLO_SIZE] = {0};
    bool installed = app_has_model(app);
    psog_put_u16(payload + PSOG_HELLO_REPLY_TO_OFFSET, sequence);
    psog_put_u16(payload + PSOG_HELLO_PROTOCOL_OFFSET, PSOG_PROTOCOL_VERSION);
    psog_put_u16(payload + PSOG_HELLO_FIRMWARE_OFFSET, FIRMWARE_VERSION);
    for (size_t i = 0; i < NAME_BYTES && BOARD_NAME[i] != '\0'; i++)
        payload[PSOG_HELLO_BOARD_OFFSET + i] = (uint8_t)BOARD_NAME[i];
    payload[PSOG_HELLO_PAIRED_OFFSET] = psog_prefers_paired() ? 1 : 0;
    payload[PSOG_HELLO_DEVELOPMENT_OFFSET] = app_trusts_development() ? 1 : 0;
    psog_put_u32(payload + PSOG_HELLO_IMAGE_ROOM_OFFSET, psog_store_image_room(&app->store));
    if (installed) {
        memcpy(payload + PSOG_HELLO_HEADSET_OFFSET, psog_model_headset(&app->model), NAME_BYTES);
        psog_put_u16(payload + PSOG_HELLO_SENSORS_OFFSET, app->model.sensors);
        psog_put_u16(payload + PSOG_HELLO_FEATURES_OFFSET, app->model.features);
        psog_put_u32(payload + PSOG_HELLO_MODEL_CRC32_OFFSET, app->model.crc32);
        payload[PSOG_HELLO_CALIBRATED_OFFSET] = app_calibrated(app) ? 1 : 0;
        psog_put_u32(payload + PSOG_HELLO_MODEL_VERSION_OFFSET, psog_model_version(&app->model));
        payload[PSOG_HELLO_TRIAL_OFFSET] = app->installed.trial ? 1 : 0;
        payload[PSOG_HELLO_STANDARDISED_OFFSET] = psog_model_is_standardised(&app->model) ? 1 : 0;
    }
    app_reply(app, PSOG_MSG_HELLO, payload, sizeof payload);
}

static void reply_model_offset(struct app *app, uint16_t sequence)
{
    uint8_t payload[PSOG_MSG_MODEL_OFFSET_SIZE];
    psog_put_u16(payload + PSOG_MODEL_OFFSET_REPLY_TO_OFFSET, sequence);
    psog_put_u32(payload + PSOG_MODEL_OFFSET_OFFSET_OFFSET, app->upload.received);
    app_reply(app, PSOG_MSG_MODEL_OFFSET, payload, sizeof payload);
}

static void reply_status(struct app *app, uint16_t sequence)
{
    uint8_t payload[PSOG_MSG_STATUS_SIZE];
    psog_put_u16(payload + PSOG_STATUS_REPLY_TO_OFFSET, sequence);
    psog_put_u32(payload + PSOG_STATUS_READINGS_OFFSET, app->counters.readings);
    psog_put_u32(payload + PSOG_STATUS_BAD_READINGS_OFFSET, app->counters.bad_readings);
    psog_put_u32(payload + PSOG_STATUS_BAD_FRAMES_OFFSET, app->counters.bad_frames);
    psog_put_u32(payload + PSOG_STATUS_DROPPED_OFFSET, app->counters.dropped);
    payload[PSOG_STATUS_HUNG_RESTARTS_OFFSET] = board_hung_restarts();
    app_reply(app, PSOG_MSG_STATUS, payload, sizeof payload);
}

static void reply_time(struct app *app, uint16_t sequence)
{
    uint8_t payload[PSOG_MSG_TIME_SIZE];
    uint64_t t_us;
    (void)device_clock_now(&app->clock, board_us(), &t_us);
    psog_put_u16(payload + PSOG_TIME_REPLY_TO_OFFSET, sequence);
    memcpy(payload + PSOG_TIME_T_US_OFFSET, &t_us, sizeof t_us);
    app_reply(app, PSOG_MSG_TIME, payload, sizeof payload);
}

static void reply_tune_result(struct app *app, uint16_t sequence)
{
    uint8_t payload[PSOG_MSG_TUNE_RESULT_SIZE];
    psog_put_u16(payload + PSOG_TUNE_RESULT_REPLY_TO_OFFSET, sequence);
    const struct psog_fit *fit = &app->tuning.fit;
    psog_put_u32(payload + PSOG_TUNE_RESULT_SAMPLES_OFFSET, fit->samples);
    psog_put_u16(payload + PSOG_TUNE_RESULT_TARGETS_OFFSET, (uint16_t)app->tuning.samples.targets);
    psog_put_f32(payload + PSOG_TUNE_RESULT_BEFORE_DEG_OFFSET, fit->before_deg);
    psog_put_f32(payload + PSOG_TUNE_RESULT_AFTER_DEG_OFFSET, fit->after_deg);
    psog_put_f32(payload + PSOG_TUNE_RESULT_LEFT_OUT_DEG_OFFSET, fit->left_out_deg);
    psog_put_f32(payload + PSOG_TUNE_RESULT_LEFT_OUT_WORST_DEG_OFFSET, fit->left_out_worst_deg);
    psog_put_f32(payload + PSOG_TUNE_RESULT_IN_USE_DEG_OFFSET, fit->in_use_deg);
    psog_put_f32(payload + PSOG_TUNE_RESULT_UNEXPLAINED_OFFSET, fit->unexplained);
    psog_put_u16(payload + PSOG_TUNE_RESULT_VERDICT_OFFSET,
                 (uint16_t)tuning_verdict(&app->tuning, app_calibrated(app)));
    app_reply(app, PSOG_MSG_TUNE_RESULT, payload, sizeof payload);
}

static void reply_ack(struct app *app, const struct answer *answer)
{
    uint8_t payload[PSOG_MSG_ACK_SIZE];
    psog_put_u16(payload + PSOG_ACK_REPLY_TO_OFFSET, answer->sequence);
    payload[PSOG_ACK_COMMAND_OFFSET] = answer->command;
    psog_put_u16(payload + PSOG_ACK_ERROR_OFFSET, (uint16_t)answer->error);
    app_reply(app, PSOG_MSG_ACK, payload, sizeof payload);
}

/* A command's own report comes first and only when it succeeded; HELLO is its own acknowledgement. */
void app_answer(struct app *app, const struct answer *answer)
{
    bool succeeded = answer->error == PSOG_OK;
    if (succeeded && answer->command == PSOG_MSG_HELLO_REQUEST) {
        reply_hello(app, answer->sequence);
        return;
    }
    if (succeeded && answer->command == PSOG_MSG_MODEL_BEGIN)
        reply_model_offset(app, answer->sequence);
    if (succeeded && answer->command == PSOG_MSG_STATUS_REQUEST)
        reply_status(app, answer->sequence);
    if (succeeded && answer->command == PSOG_MSG_TIME_REQUEST)
        reply_time(app, answer->sequence);
    if (succeeded && answer->command == PSOG_MSG_CALIBRATION_READ)
        reply_calibration_piece(app, answer->sequence);
    if (succeeded && answer->command == PSOG_MSG_STANDARDISE_READ)
        reply_standardise_means(app, answer->sequence);
    if (succeeded && answer->command == PSOG_MSG_TUNE_SOLVE)
        reply_tune_result(app, answer->sequence);
    reply_ack(app, answer);
}
