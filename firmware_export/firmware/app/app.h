/* The application: readings in, gaze out, commands in between. All its state is one struct. */
#ifndef APP_H
#define APP_H

#include "device_clock.h"
#include "leds.h"
#include "lids.h"
#include "outbox.h"
#include "protocol.h"
#include "psog.h"
#include "stillness.h"
#include "tuning.h"

#define FIRMWARE_VERSION 0x0001u /* major · 256 + minor */

/* A second of nobody reading at 1 kHz with all streams does not fit anywhere; a host that is late by tens of
 * milliseconds does (about 130 bytes a reading with 16 sensors and 16 features). */
#ifndef LINK_OUTBOX_BYTES
#define LINK_OUTBOX_BYTES 8192u
#endif
#define SENSOR_OUTBOX_BYTES 64u

/* Room for a model; one that needs more is refused. */
#ifndef APP_ACTIVATION_BYTES
#define APP_ACTIVATION_BYTES PSOG_MAX_ACTIVATION_BYTES
#endif
#if APP_ACTIVATION_BYTES < 6144u
#error "the most features could not be fitted in less"
#endif
#define APP_WORK_BYTES (APP_ACTIVATION_BYTES + PSOG_MAX_WORK_BYTES - PSOG_MAX_ACTIVATION_BYTES)

/* Streams leave this much of the link's outbox to replies. */
#define REPLY_ROOM_BYTES 256u
/* A command waits for room for the longest answer, a piece of a calibration and ACK, and for a TUNE_PROGRESS
 * that may come in between. */
#define ANSWER_BYTES 256u

#define INBOX_BYTES 64u

/* Received bytes that have not been looked at. */
struct inbox {
    uint8_t bytes[INBOX_BYTES];
    size_t count;
    size_t next;
};

/* The last command and how it ended: a repetition is answered again, not carried out again. */
struct answer {
    bool given;
    uint8_t command;
    uint16_t sequence;
    enum psog_error error;
};

struct counters {
    uint32_t readings;
    uint32_t bad_readings;
    uint32_t bad_frames;
    uint32_t dropped;
};

struct app {
    struct psog_store store;
    struct psog_installed installed;
    struct psog_model model; /* when installed.slot is not PSOG_NO_SLOT */
    struct psog_upload upload;
    struct tuning tuning;
    struct lids lids;
    struct stillness stillness;
    struct device_clock clock;
    struct leds leds;
    struct psog_kept kept; /* a user's and this headset's; where NULL, what the model has is in use */
    union {
        uint32_t activations[APP_ACTIVATION_BYTES / 4u];
        uint32_t solve[APP_WORK_BYTES / 4u]; /* no reading is looked at meanwhile */
    } work;

    struct outbox link;
    struct outbox sensor_bus;
    struct psog_frame_receiver link_receiver;
    struct psog_frame_receiver sensor_receiver;
    struct inbox inbox;
    struct answer answer;
    struct counters counters;
    uint16_t link_sequence;
    uint16_t sensor_sequence;
    uint16_t told_from; /* where the piece of the calibration begins that CALIBRATION_READ asked for last */
    uint16_t sensors; /* values in the last reading; 0 before the first */
    uint8_t streams;
    bool restarting;
    bool ran_well;
    uint32_t started_us;
    uint8_t link_bytes[LINK_OUTBOX_BYTES];
    uint8_t sensor_bytes[SENSOR_OUTBOX_BYTES];
};

/* So many restarts by the watchdog in a row have a start use the other model. */
#define APP_HUNG_RESTARTS 3u

/* Everything as after power-on; model and calibration from flash.
 * hung_restarts: by the watchdog, in a row.
 * Returns PSOG_ERR_RANGE when the board's flash cannot be divided into slots. */
enum psog_error app_start(struct app *app, const struct psog_flash *flash, uint8_t hung_restarts);

/* Does what there is to do, and returns. */
void app_step(struct app *app);

/* Sleeps until there may be something to do. */
void app_wait(const struct app *app);

static inline bool app_has_model(const struct app *app)
{
    return app->installed.slot != PSOG_NO_SLOT;
}

/* Whether a user's calibration is in use. */
static inline bool app_calibrated(const struct app *app)
{
    return app->kept.rows != NULL;
}

/* Uses a confirmed model in flash; there may be none. */
void app_find_model(struct app *app, enum psog_choice choice);

/* Uses what is kept in flash if it belongs to the model, otherwise what the model has. */
void app_load_kept(struct app *app);

/* ---- reading.c ---- */

/* One reading from the sensor bus: inference, tuning, streams. */
void app_reading(struct app *app, const struct psog_frame *frame);

/* ---- commands.c ---- */

/* Carries out and answers a command. */
void app_command(struct app *app, const struct psog_frame *frame);

/* ---- answers.c ---- */

/* Says how a command ended, and what it asked for. */
void app_answer(struct app *app, const struct answer *answer);

/* ---- sending.c ---- */

/* A stream's frame: dropped and counted when there is no room; even then it uses up its sequence number. */
void app_stream(struct app *app, uint8_t type, const uint8_t *payload, size_t size);

/* A reply or report: has room reserved. */
void app_reply(struct app *app, uint8_t type, const uint8_t *payload, size_t size);

/* A frame to the sensor bus; PSOG_ERR_STATE when that is full. */
enum psog_error app_display(struct app *app, uint8_t type, const uint8_t *payload, size_t size);

#endif
