/* One reading: features, gaze, and whatever is streamed of it. */
#include <math.h>

#include "app.h"
#include "board.h"
#include "bytes.h"

#define T_US_BYTES 8u

/* GAZE and TRIAL have the same layout. */
static void stream_gaze(struct app *app, uint8_t type, const uint8_t *t_us, const float output[PSOG_OUTPUTS],
                        bool is_open, bool calibrated)
{
    uint8_t payload[PSOG_MSG_GAZE_SIZE];
    uint8_t flags = calibrated ? PSOG_GAZE_FLAG_CALIBRATED : 0u;
    float ln_error = output[PSOG_LN_ERROR] + (calibrated ? app->model.calibration_ln : 0.0f);
    if (is_open)
        flags |= PSOG_GAZE_FLAG_VALID;
    memcpy(payload + PSOG_GAZE_T_US_OFFSET, t_us, T_US_BYTES);
    psog_put_f32(payload + PSOG_GAZE_GAZE_H_DEG_OFFSET, output[0]);
    psog_put_f32(payload + PSOG_GAZE_GAZE_V_DEG_OFFSET, output[1]);
    psog_put_f32(payload + PSOG_GAZE_OPENNESS_OFFSET, output[PSOG_OPENNESS]);
    psog_put_f32(payload + PSOG_GAZE_EXPECTED_ERROR_DEG_OFFSET, expf(ln_error));
    payload[PSOG_GAZE_FLAGS_OFFSET] = flags;
    app_stream(app, type, payload, sizeof payload);
}

static void stream_features(struct app *app, const uint8_t *t_us, const int8_t *features)
{
    uint8_t payload[PSOG_MSG_FEATURES_SIZE + PSOG_MAX_FEATURES];
    memcpy(payload + PSOG_FEATURES_T_US_OFFSET, t_us, T_US_BYTES);
    payload[PSOG_FEATURES_COUNT_OFFSET] = (uint8_t)app->model.features;
    memcpy(payload + PSOG_MSG_FEATURES_SIZE, features, app->model.features);
    app_stream(app, PSOG_MSG_FEATURES, payload, PSOG_MSG_FEATURES_SIZE + app->model.features);
}

static void report_progress(struct app *app)
{
    uint8_t payload[PSOG_MSG_TUNE_PROGRESS_SIZE];
    psog_put_u16(payload + PSOG_TUNE_PROGRESS_ADDED_OFFSET, app->tuning.samples.added);
    psog_put_u16(payload + PSOG_TUNE_PROGRESS_REJECTED_OFFSET, app->tuning.rejected);
    app_reply(app, PSOG_MSG_TUNE_PROGRESS, payload, sizeof payload);
}

/* Features by the network with a user's biases, or by the population's for NULL. */
static void see(struct app *app, const int32_t *biases, const uint16_t *readings, int8_t *features)
{
    /* Cannot fail: the model was refused unless its activations fit. */
    (void)psog_infer(&app->model, biases, readings, app->work.activations, sizeof app->work.activations,
                     features);
}

/* The calibration in progress sees with the population's network, whoever used the headset before. */
static void tune(struct app *app, const uint16_t *readings, int8_t *features, bool is_open)
{
    if (app->biases)
        see(app, NULL, readings, features);
    if (tuning_reading(&app->tuning, readings, features, is_open))
        report_progress(app);
}

/* The trial's gaze of the same reading; a network that has been told sees it anew. */
static void stream_trial(struct app *app, const uint8_t *t_us, const uint16_t *readings, int8_t *features,
                         bool is_open)
{
    float output[PSOG_OUTPUTS];
    if (app->model.numbers > 0)
        see(app, app->tuning.kept.biases, readings, features);
    psog_head_apply(&app->model, app->tuning.trial_rows, features, output);
    stream_gaze(app, PSOG_MSG_TRIAL, t_us, output, is_open, true);
}

static void track(struct app *app, const uint8_t *t_us, const uint16_t *readings)
{
    int8_t features[PSOG_MAX_FEATURES];
    float output[PSOG_OUTPUTS];
    uint64_t now_us;
    see(app, app->biases, readings, features);
    psog_head_apply(&app->model, app->rows, features, output);
    memcpy(&now_us, t_us, sizeof now_us);
    bool is_open = lids_open(&app->lids, now_us, output[PSOG_OPENNESS]);
    if (app->streams & PSOG_STREAM_GAZE)
        stream_gaze(app, PSOG_MSG_GAZE, t_us, output, is_open, app_calibrated(app));
    if (app->streams & PSOG_STREAM_FEATURES)
        stream_features(app, t_us, features);
    if (app->tuning.phase == TUNING_TARGET)
        tune(app, readings, features, is_open);
    if ((app->streams & PSOG_STREAM_TRIAL) && app->tuning.phase == TUNING_TRIAL)
        stream_trial(app, t_us, readings, features, is_open);
}

static bool well_formed(const struct psog_frame *frame)
{
    if (frame->type != PSOG_MSG_READING || frame->payload_size < PSOG_MSG_READING_SIZE)
        return false;
    size_t count = frame->payload[PSOG_READING_COUNT_OFFSET];
    return count >= 1 && count <= PSOG_MAX_SENSORS &&
           frame->payload_size == PSOG_MSG_READING_SIZE + 2u * count;
}

void app_reading(struct app *app, const struct psog_frame *frame)
{
    uint16_t readings[PSOG_MAX_SENSORS];
    uint64_t t_us;
    if (!well_formed(frame)) {
        app->counters.bad_readings++;
        return;
    }
    app->sensors = frame->payload[PSOG_READING_COUNT_OFFSET];
    app->counters.readings++;
    memcpy(&t_us, frame->payload + PSOG_READING_T_US_OFFSET, sizeof t_us);
    device_clock_reading(&app->clock, t_us, board_us());
    leds_reading(&app->leds);
    if (app->streams & PSOG_STREAM_SENSORS) /* SENSORS repeats the reading as it came */
        app_stream(app, PSOG_MSG_SENSORS, frame->payload, frame->payload_size);
    memcpy(readings, frame->payload + PSOG_MSG_READING_SIZE, 2u * app->sensors);
    if (!app_has_model(app))
        return;
    if (app->model.sensors == app->sensors)
        track(app, frame->payload + PSOG_READING_T_US_OFFSET, readings);
    else
        app->counters.bad_readings++; /* sensors of another headset */
}
