/* The loop: bytes in, frames to where they belong, bytes out. */
#include "app.h"

#include <string.h>

#include "board.h"
#include "trust.h"

#if PSOG_FRAME_MAX_PAYLOAD != PSOG_MAX_PAYLOAD
#error "runtime and protocol disagree on the longest payload"
#endif
#if PSOG_MAX_PIECE_BYTES != PSOG_MAX_DATA
#error "runtime and protocol disagree on the longest piece of an image"
#endif

#define RAN_WELL_US 3000000u /* a weak value: a model that hangs does so at its first readings */

/* What a power cut has interrupted. Where flash refuses, what was found is used all the same. Each step
 * erases two blocks at most (BOARD_HUNG_US). */
static void settle(struct app *app)
{
    (void)psog_store_clear(&app->store, app->installed);
    board_watchdog_feed();
    (void)psog_store_settle(&app->store, &app->model, &app->installed);
    board_watchdog_feed();
    if (app_has_model(app) && !app->installed.trial)
        (void)psog_calibration_settle(&app->store, &app->model);
}

enum psog_error app_start(struct app *app, const struct psog_flash *flash, uint8_t hung_restarts)
{
    memset(app, 0, sizeof *app);
    app->upload.slot = PSOG_NO_SLOT;
    app->started_us = board_us();
    leds_start(&app->leds);
    app->link = (struct outbox){.bytes = app->link_bytes, .size = sizeof app->link_bytes};
    app->sensor_bus = (struct outbox){.bytes = app->sensor_bytes, .size = sizeof app->sensor_bytes};
    enum psog_error error = psog_store_open(&app->store, flash, &APP_TRUST);
    if (error != PSOG_OK)
        return error;
    /* Without a model it still answers: that is how it gets one. */
    app_find_model(app, hung_restarts >= APP_HUNG_RESTARTS ? PSOG_OLDER : PSOG_NEWEST);
    settle(app);
    app_load_kept(app);
    return PSOG_OK;
}

void app_find_model(struct app *app, enum psog_choice choice)
{
    (void)psog_store_find_model(&app->store, choice, &app->model, sizeof app->work.activations,
                                &app->installed);
}

void app_load_kept(struct app *app)
{
    app->kept = (struct psog_kept){0};
    if (!app_has_model(app))
        return;
    (void)psog_calibration_find(&app->store, &app->model, &app->kept); /* without one all stays NULL */
    psog_model_normalise_by(&app->model, app->kept.normalisation, app->kept.shift);
}

static void take_readings(struct app *app)
{
    uint8_t bytes[INBOX_BYTES];
    struct psog_frame frame;
    size_t count = board_sensor_read(bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        enum psog_frame_event event = psog_frame_push(&app->sensor_receiver, bytes[i], &frame);
        if (event == PSOG_FRAME_READY)
            app_reading(app, &frame);
        else if (event == PSOG_FRAME_BAD)
            app->counters.bad_readings++;
    }
}

/* Commands wait in the inbox while there is no room for their answers: an answer is never lost. */
static bool can_answer(const struct app *app)
{
    return outbox_room(&app->link) >= ANSWER_BYTES && !app->restarting;
}

static void take_commands(struct app *app)
{
    struct inbox *inbox = &app->inbox;
    struct psog_frame frame;
    if (inbox->next == inbox->count) {
        inbox->count = can_answer(app) ? board_link_read(inbox->bytes, sizeof inbox->bytes) : 0;
        inbox->next = 0;
    }
    while (inbox->next < inbox->count && can_answer(app)) {
        uint8_t byte = inbox->bytes[inbox->next++];
        enum psog_frame_event event = psog_frame_push(&app->link_receiver, byte, &frame);
        if (event == PSOG_FRAME_READY)
            app_command(app, &frame);
        else if (event == PSOG_FRAME_BAD)
            app->counters.bad_frames++;
    }
}

/* Says so once, after some seconds of work: restarts by the watchdog are no longer in a row then. */
static void note_running_well(struct app *app)
{
    bool works = app->counters.readings > 0 || app->answer.given;
    if (app->ran_well || !works || board_us() - app->started_us < RAN_WELL_US)
        return;
    board_ran_well();
    app->ran_well = true;
}

void app_step(struct app *app)
{
    board_watchdog_feed();
    take_readings(app);
    leds_step(&app->leds);
    take_commands(app);
    note_running_well(app);
    outbox_drain(&app->link, board_link_write);
    outbox_drain(&app->sensor_bus, board_sensor_write);
    if (app->restarting && app->link.count == 0)
        board_restart();
}

void app_wait(const struct app *app)
{
    bool unread = app->inbox.next < app->inbox.count;
    if (unread && can_answer(app))
        return;
    board_wait((struct board_interest){
        .link_bytes = !unread && can_answer(app),
        .link_room = app->link.count > 0,
        .sensor_room = app->sensor_bus.count > 0,
    });
}
