/* Two calibration slots: a new record is written beside the newest, which stays valid until the last byte of
 * the new one is in place. docs/SPEC.md. */
#include "bytes.h"
#include "flash.h"
#include "psog.h"

#define FORMAT_VERSION 3u
#define HEADER_BYTES 20u

/* What a record holds after its header. */
struct content {
    uint16_t features, biases;
};

static uint32_t slot_offset(const struct psog_store *store, uint8_t slot)
{
    return 2u * store->model_slot_bytes + slot * store->calibration_slot_bytes;
}

static const uint8_t *slot_bytes(const struct psog_store *store, uint8_t slot)
{
    return store->flash->memory + slot_offset(store, slot);
}

static struct content content_of(const uint8_t *record)
{
    return (struct content){psog_get_u16(record + 6), psog_get_u16(record + 16)};
}

static uint32_t rows_bytes(struct content content)
{
    return PSOG_GAZE_OUTPUTS * (content.features + 1u) * (uint32_t)sizeof(float);
}

static uint32_t biases_bytes(struct content content)
{
    return content.biases * (uint32_t)sizeof(int32_t);
}

static bool valid_record(const uint8_t *record)
{
    struct content content = content_of(record);
    if (memcmp(record, "PCAL", 4) != 0 || psog_get_u16(record + 4) != FORMAT_VERSION ||
        content.features < 1 || content.features > PSOG_MAX_FEATURES || content.biases > PSOG_MAX_BIASES ||
        psog_get_u16(record + 18) != 0)
        return false;
    uint32_t rows_end = HEADER_BYTES + rows_bytes(content);
    uint32_t checked = rows_end + biases_bytes(content);
    if (psog_get_u32(record + checked) != psog_crc32(0, record, checked))
        return false;
    for (uint32_t at = HEADER_BYTES; at < rows_end; at += 4u)
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

enum psog_error psog_calibration_find(const struct psog_store *store, const struct psog_model *model,
                                      const float **rows, const int32_t **biases)
{
    uint8_t slot = newest_slot(store);
    if (slot == PSOG_NO_SLOT)
        return PSOG_ERR_STATE;
    const uint8_t *record = slot_bytes(store, slot);
    struct content content = content_of(record);
    if (content.features != model->features || content.biases != model->biases ||
        psog_get_u32(record + 12) != model->crc32)
        return PSOG_ERR_STATE;
    *rows = (const float *)(const void *)(record + HEADER_BYTES);
    *biases = content.biases > 0 ? (const int32_t *)(const void *)(*rows + PSOG_ROWS_FLOATS(content.features))
                                 : NULL;
    return PSOG_OK;
}

static void put_header(const struct psog_store *store, const struct psog_model *model, uint8_t *header)
{
    uint8_t newest = newest_slot(store);
    memcpy(header, "PCAL", 4);
    psog_put_u16(header + 4, FORMAT_VERSION);
    psog_put_u16(header + 6, model->features);
    psog_put_u32(header + 8, newest == PSOG_NO_SLOT ? 0 : psog_get_u32(slot_bytes(store, newest) + 8) + 1u);
    psog_put_u32(header + 12, model->crc32);
    psog_put_u16(header + 16, model->biases);
    psog_put_u16(header + 18, 0);
}

enum psog_error psog_calibration_save(const struct psog_store *store, const struct psog_model *model,
                                      const float *rows, const int32_t *biases, uint8_t *record)
{
    uint32_t at = slot_offset(store, newest_slot(store) == 0 ? 1 : 0);
    put_header(store, model, record);
    struct content content = content_of(record);
    uint32_t size = HEADER_BYTES;
    memcpy(record + size, rows, rows_bytes(content));
    size += rows_bytes(content);
    if (content.biases > 0)
        memcpy(record + size, biases, biases_bytes(content));
    size += biases_bytes(content);
    psog_put_u32(record + size, psog_crc32(0, record, size));
    enum psog_error error = psog_flash_erase(store->flash, at, store->calibration_slot_bytes);
    return error != PSOG_OK ? error : psog_flash_write(store->flash, at, record, size + 4u);
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
