#include "calibration_commands.h"

#include "bytes.h"
#include "tune_commands.h"

enum psog_error calibration_read(struct app *app, const uint8_t *payload)
{
    uint32_t size;
    if (!app_has_model(app))
        return PSOG_ERR_NO_MODEL;
    if (!app_calibrated(app))
        return PSOG_ERR_STATE;
    (void)psog_calibration_record(app->kept.rows, &size);
    app->told_from = psog_get_u16(payload + PSOG_CALIBRATION_READ_OFFSET_OFFSET);
    return app->told_from < size ? PSOG_OK : PSOG_ERR_RANGE;
}

void reply_calibration_piece(struct app *app, uint16_t sequence)
{
    uint8_t payload[PSOG_MSG_CALIBRATION_PIECE_SIZE + PSOG_MAX_DATA];
    uint32_t size;
    const uint8_t *record = psog_calibration_record(app->kept.rows, &size);
    uint32_t left = size - app->told_from, count = left < PSOG_MAX_DATA ? left : PSOG_MAX_DATA;
    psog_put_u16(payload + PSOG_CALIBRATION_PIECE_REPLY_TO_OFFSET, sequence);
    psog_put_u16(payload + PSOG_CALIBRATION_PIECE_OFFSET_OFFSET, app->told_from);
    psog_put_u16(payload + PSOG_CALIBRATION_PIECE_TOTAL_OFFSET, (uint16_t)size);
    psog_put_u32(payload + PSOG_CALIBRATION_PIECE_CRC32_OFFSET, psog_crc32(0, record, size));
    payload[PSOG_CALIBRATION_PIECE_COUNT_OFFSET] = (uint8_t)count;
    memcpy(payload + PSOG_MSG_CALIBRATION_PIECE_SIZE, record + app->told_from, count);
    app_reply(app, PSOG_MSG_CALIBRATION_PIECE, payload, PSOG_MSG_CALIBRATION_PIECE_SIZE + count);
}

/* What of the host's record goes into flash is found and checked here, once all of it is there. */
static enum psog_error keep(struct app *app, uint32_t size, uint32_t crc32)
{
    const uint8_t *record = app->tuning.kept.record;
    struct psog_kept kept;
    if (psog_crc32(0, record, size) != crc32)
        return PSOG_ERR_CRC;
    enum psog_error error = psog_calibration_open(&app->model, record, size, &kept);
    if (error != PSOG_OK)
        return error;
    error = psog_calibration_save(&app->store, &app->model, &kept, (uint8_t *)app->work.solve);
    app_load_kept(app); /* what was in use may be gone even when this one could not be written */
    return error;
}

enum psog_error calibration_write(struct app *app, const uint8_t *payload)
{
    uint32_t total = psog_get_u16(payload + PSOG_CALIBRATION_WRITE_TOTAL_OFFSET);
    if (!app_has_model(app))
        return PSOG_ERR_NO_MODEL;
    if (app->installed.trial || !tuning_can_receive(&app->tuning))
        return PSOG_ERR_STATE;
    uint32_t offset = psog_get_u16(payload + PSOG_CALIBRATION_WRITE_OFFSET_OFFSET);
    uint8_t count = payload[PSOG_CALIBRATION_WRITE_COUNT_OFFSET];
    enum psog_error error =
        tuning_receive(&app->tuning, offset, total, payload + PSOG_MSG_CALIBRATION_WRITE_SIZE, count);
    if (error == PSOG_OK && app->tuning.received < total)
        return PSOG_OK; /* there is more to come */
    if (error == PSOG_OK)
        error = keep(app, total, psog_get_u32(payload + PSOG_CALIBRATION_WRITE_CRC32_OFFSET));
    forget_wearer(app);
    return error;
}
