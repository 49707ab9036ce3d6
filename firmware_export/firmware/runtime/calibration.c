/* Two calibration slots: a new record is written beside the newest, which stays valid until the last byte of
 * the new one is in place. docs/SPEC.md. */
#include "bytes.h"
#include "flash.h"
#include "psog.h"

#define FORMAT_VERSION 1u
#define HEADER_BYTES 16u

static uint32_t slot_offset(const struct psog_store *store, uint8_t slot)
{
    return 2u * store->model_slot_bytes + slot * store->calibration_slot_bytes;
}

static const uint8_t *slot_bytes(const struct psog_store *store, uint8_t slot)
{
    return store->flash->memory + slot_offset(store, slot);
}

static uint32_t rows_bytes(uint32_t features)
{
    return PSOG_GAZE_OUTPUTS * (features + 1u) * (uint32_t)sizeof(float);
}

static bool valid_record(const uint8_t *record)
{
    uint16_t features = psog_get_u16(record + 6);
    if (memcmp(record, "PCAL", 4) != 0 || psog_get_u16(record + 4) != FORMAT_VERSION || features < 1 ||
        features > PSOG_MAX_FEATURES)
        return false;
    uint32_t checked = HEADER_BYTES + rows_bytes(features);
    if (psog_get_u32(record + checked) != psog_crc32(0, record, checked))
        return false;
    for (uint32_t at = HEADER_BYTES; at < checked; at += 4u)
        if (!psog_is_finite(psog_get_f32(record + at)))
            return false;
    return true;
}

/* The slot with the newest valid record, or PSOG_NO_SLOT. */
static uint8_t newest_slot(const struct psog_store *store)
{
    const uint8_t *first = slot_bytes(store, 0);
    const uint8_t *second = slot_bytes(store, 1);
    bool valid[2] = {valid_record(first), valid_record(second)};
    if (valid[0] && valid[1]) /* sequence numbers may wrap */
        return psog_get_u32(second + 8) - psog_get_u32(first + 8) - 1u < 0x7FFFFFFFu ? 1 : 0;
    return valid[0] ? 0 : valid[1] ? 1 : PSOG_NO_SLOT;
}

enum psog_error psog_calibration_load(const struct psog_store *store, const struct psog_model *model,
                                      float *head)
{
    uint8_t slot = newest_slot(store);
    if (slot == PSOG_NO_SLOT)
        return PSOG_ERR_STATE;
    const uint8_t *record = slot_bytes(store, slot);
    if (psog_get_u16(record + 6) != model->features || psog_get_u32(record + 12) != model->crc32)
        return PSOG_ERR_STATE;
    memcpy(head, record + HEADER_BYTES, rows_bytes(model->features));
    return PSOG_OK;
}

enum psog_error psog_calibration_save(const struct psog_store *store, const struct psog_model *model,
                                      const float *head)
{
    uint8_t header[HEADER_BYTES] = {'P', 'C', 'A', 'L', FORMAT_VERSION};
    uint8_t trailer[4];
    uint8_t newest = newest_slot(store);
    uint8_t slot = newest == 0 ? 1 : 0;
    uint32_t at = slot_offset(store, slot);
    const uint8_t *rows = (const uint8_t *)head;
    uint32_t size = rows_bytes(model->features);

    psog_put_u16(header + 6, model->features);
    psog_put_u32(header + 8, newest == PSOG_NO_SLOT ? 0 : psog_get_u32(slot_bytes(store, newest) + 8) + 1u);
    psog_put_u32(header + 12, model->crc32);
    psog_put_u32(trailer, psog_crc32(psog_crc32(0, header, HEADER_BYTES), rows, size));
    enum psog_error error = psog_flash_erase(store->flash, at, store->calibration_slot_bytes);
    if (error == PSOG_OK)
        error = psog_flash_write(store->flash, at, header, HEADER_BYTES);
    if (error == PSOG_OK)
        error = psog_flash_write(store->flash, at + HEADER_BYTES, rows, size);
    if (error == PSOG_OK)
        error = psog_flash_write(store->flash, at + HEADER_BYTES + size, trailer, sizeof trailer);
    return error;
}

enum psog_error psog_calibration_erase(const struct psog_store *store)
{
    /* The older one first: were it last, a power cut would bring it back. */
    uint8_t last = newest_slot(store) == 0 ? 0 : 1;
    enum psog_error error =
        psog_flash_erase(store->flash, slot_offset(store, 1u - last), store->calibration_slot_bytes);
    if (error == PSOG_OK)
        error = psog_flash_erase(store->flash, slot_offset(store, last), store->calibration_slot_bytes);
    return error;
}
