/* Frames on their way out. */
#include "app.h"

static bool put(struct outbox *outbox, uint16_t *sequence, uint8_t type, const uint8_t *payload, size_t size,
                size_t reserved)
{
    uint8_t wire[PSOG_FRAME_MAX_WIRE];
    const struct psog_frame frame = {type, (*sequence)++, payload, size};
    size_t count = psog_frame_encode(&frame, wire);
    return outbox_room(outbox) >= count + reserved && outbox_put(outbox, wire, count);
}

void app_stream(struct app *app, uint8_t type, const uint8_t *payload, size_t size)
{
    if (!put(&app->link, &app->link_sequence, type, payload, size, REPLY_ROOM_BYTES))
        app->counters.dropped++;
}

void app_reply(struct app *app, uint8_t type, const uint8_t *payload, size_t size)
{
    if (!put(&app->link, &app->link_sequence, type, payload, size, 0))
        app->counters.dropped++;
}

enum psog_error app_display(struct app *app, uint8_t type, const uint8_t *payload, size_t size)
{
    return put(&app->sensor_bus, &app->sensor_sequence, type, payload, size, 0) ? PSOG_OK : PSOG_ERR_STATE;
}
