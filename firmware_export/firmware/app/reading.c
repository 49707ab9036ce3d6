/* One reading: features, gaze, and whatever is streamed of it. */
#include <math.h>

#include "app.h"
#include "board.h"
#include "bytes.h"
#include "light.h"

#define T_US_BYTES 8u

/* GAZE and TRIAL have the same layout. flags: of the reading. */
static void stream_gaze(struct app *app, uint8_t type, const uint8_t *t_us, const float output[PSOG_OUTPUTS],
                        uint8_t flags, bool calibrated)
{
    uint8_t payload[PSOG_MSG_GAZE_SIZE];
    float ln_error = output[PSOG_LN_ERROR] + (calibrated ? app->model.calibration_ln : 0.0f);
    if (calibrated)
        flags |= PSOG_GAZE_FLAG_CALIBRATED;
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
    psog_put_u16(payload + PSOG_TUNE_PROGRESS_SATURATED_OFFSET, app->tuning.saturated);
    psog_put_u16(payload + PSOG_TUNE_PROGRESS_MOVING_OFFSET, app->tuning.moving);
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
static void tune(struct app *app, const uint16_t *readings, int8_t *features, const float *in_use_deg,
                 uint8_t flags)
{
    if (app->kept.biases)
        see(app, NULL, readings, features);
    const struct tuning_seen seen = {
        .readings = readings,
        .features = features,
        .in_use_deg = in_use_deg,
        .is_open = flags & PSOG_GAZE_FLAG_VALID,
        .is_still = flags & PSOG_GAZE_FLAG_STILL,
        .saturates = flags & PSOG_GAZE_FLAG_SATURATED,
    };
    if (tuning_reading(&app->tuning, &seen))
        report_progress(app);
}

/* The trial's gaze of the same reading; a network that has been told sees it anew. */
static void stream_trial(struct app *app, const uint8_t *t_us, const uint16_t *readings, int8_t *features,
                         uint8_t flags)
{
    float output[PSOG_OUTPUTS];
    if (app->model.numbers > 0)
        see(app, app->tuning.kept.biases, readings, features);
    psog_head_apply(&app->model, app->tuning.trial_rows, features, output);
    stream_gaze(app, PSOG_MSG_TRIAL, t_us, output, flags, true);
}

/* Whether the gaze of a reading can be trusted, or why not. One that saturates says nothing of lids. */
static uint8_t trust(struct app *app, uint64_t t_us, const uint16_t *readings, float openness)
{
    if (light_saturates(readings, app->model.sensors))
        return PSOG_GAZE_FLAG_SATURATED;
    return lids_open(&app->lids, t_us, openness) ? PSOG_GAZE_FLAG_VALID : 0u;
}

/* The flags of a reading with this output of what is in use. */
static uint8_t judge(struct app *app, const uint8_t *t_us, const uint16_t *readings, const float *output)
{
    uint64_t now_us;
    memcpy(&now_us, t_us, sizeof now_us);
    uint8_t flags = trust(app, now_us, readings, output[PSOG_OPENNESS]);
    if (stillness_rests(&app->stillness, now_us, output, flags & PSOG_GAZE_FLAG_VALID))
        flags |= PSOG_GAZE_FLAG_STILL;
    return flags;
}

static void track(struct app *app, const uint8_t *t_us, const uint16_t *readings)
{
    int8_t features[PSOG_MAX_FEATURES];
    float output[PSOG_OUTPUTS];
    see(app, app->kept.biases, readings, features);
    psog_head_apply(&app->model, app->kept.rows, features, output);
    uint8_t flags = judge(app, t_us, readings, output);
    if (app->streams & PSOG_STREAM_GAZE)
        stream_gaze(app, PSOG_MSG_GAZE, t_us, output, flags, app_calibrated(app));
    if (app->streams & PSOG_STREAM_FEATURES)
        stream_features(app, t_us, features);
    if (app->tuning.phase == TUNING_TARGET)
        tune(app, readings, features, output, flags);
    if (app->tuning.phase == TUNING_WEAR)
        tuning_wear(&app->tuning, readings, flags & PSOG_GAZE_FLAG_SATURATED);
    if ((app->streams & PSOG_STREAM_TRIAL) && app->tuning.phase == TUNING_TRIAL)
        stream_trial(app, t_us, readings, features, flags);
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
