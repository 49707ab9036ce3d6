/* Two calibration slots: a new record is written beside the newest, which stays the valid one until marks are
 * set behind the new one. docs/SPEC.md, Flash. */
#include "bytes.h"
#include "flash.h"
#include "image.h"
#include "marks.h"

#define FORMAT_VERSION 4u
#define HEADER_BYTES 20u

/* What a record holds after its header; 0 features without a user, 0 sensors without a standardisation. */
struct content {
    uint16_t features, biases;
    uint8_t sensors, shift;
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
    return (struct content){psog_get_u16(record + 6), psog_get_u16(record + 16), record[18], record[19]};
}

static uint32_t rows_bytes(struct content content)
{
    uint32_t rows = content.features > 0 ? PSOG_GAZE_OUTPUTS : 0;
    return rows * (content.features + 1u) * (uint32_t)sizeof(float);
}

/* Where the standardisation begins. */
static uint32_t user_bytes(struct content content)
{
    return HEADER_BYTES + rows_bytes(content) + content.biases * (uint32_t)sizeof(int32_t);
}

/* Of a record up to its marks. */
static uint32_t record_bytes(struct content content)
{
    return (user_bytes(content) + PSOG_NORMALISATION_BYTES(content.sensors) + 7u) & ~7u;
}

static bool fits(struct content content)
{
    return record_bytes(content) <= PSOG_CALIBRATION_BYTES - PSOG_DECISION_BYTES;
}

static bool valid_sizes(struct content content)
{
    bool user = content.features >= 1 && content.features <= PSOG_MAX_FEATURES;
    bool nobody = content.features == 0 && content.biases == 0 && content.sensors > 0;
    bool shift = content.sensors > 0 ? content.shift >= 1 && content.shift <= 30 : content.shift == 0;
    return (user || nobody) && content.biases <= PSOG_MAX_BIASES && content.sensors <= PSOG_MAX_SENSORS &&
           shift && fits(content);
}

static bool valid_header(const uint8_t *record)
{
    return memcmp(record, "PCAL", 4) == 0 && psog_get_u16(record + 4) == FORMAT_VERSION &&
           valid_sizes(content_of(record));
}

static bool valid_content(const uint8_t *record)
{
    struct content content = content_of(record);
    if (!valid_header(record))
        return false;
    for (uint32_t at = 0; at < rows_bytes(content); at += 4u)
        if (!psog_is_finite(psog_get_f32(record + HEADER_BYTES + at)))
            return false;
    return psog_valid_normalisation(record + user_bytes(content), content.sensors);
}

/* A record's: only where its content is valid. */
static struct psog_marks marks(const struct psog_store *store, uint8_t slot)
{
    const uint8_t *record = slot_bytes(store, slot);
    uint32_t size = record_bytes(content_of(record));
    return (struct psog_marks){store->flash, slot_offset(store, slot) + size, psog_crc32(0, record, size)};
}

static bool sound(const struct psog_store *store, uint8_t slot)
{
    return valid_content(slot_bytes(store, slot)) && psog_decision_taken(marks(store, slot));
}

static bool is_of(const uint8_t *record, const struct psog_model *model)
{
    struct content content = content_of(record);
    bool user = content.features == model->features && content.biases == model->biases;
    bool headset = content.sensors == model->sensors && content.shift >= psog_least_shift(model->planes);
    return (user || content.features == 0) && (headset || content.sensors == 0) &&
           psog_get_u32(record + 12) == model->crc32;
}

/* Whether a slot holds a record of this model, or of any if it is NULL. */
static bool holds(const struct psog_store *store, uint8_t slot, const struct psog_model *model)
{
    return sound(store, slot) && (model == NULL || is_of(slot_bytes(store, slot), model));
}

/* The slot with the newest record of this model, or of any if it is NULL; PSOG_NO_SLOT if there is none. */
static uint8_t newest_slot(const struct psog_store *store, const struct psog_model *model)
{
    bool held[2] = {holds(store, 0, model), holds(store, 1, model)};
    if (held[0] && held[1]) /* sequence numbers may wrap */
        return psog_get_u32(slot_bytes(store, 1) + 8) - psog_get_u32(slot_bytes(store, 0) + 8) - 1u <
                       0x7FFFFFFFu
                   ? 1
                   : 0;
    return held[0] ? 0 : held[1] ? 1 : PSOG_NO_SLOT;
}

/* Where the parts of a sound record are. */
static void find_content(const uint8_t *record, struct psog_kept *kept)
{
    struct content content = content_of(record);
    const uint8_t *rows = record + HEADER_BYTES, *biases = rows + rows_bytes(content);
    *kept = (struct psog_kept){
        .rows = content.features > 0 ? (const float *)(const void *)rows : NULL,
        .biases = content.biases > 0 ? (const int32_t *)(const void *)biases : NULL,
        .normalisation = content.sensors > 0 ? record + user_bytes(content) : NULL,
        .shift = content.shift,
    };
}

enum psog_error psog_calibration_find(const struct psog_store *store, const struct psog_model *model,
                                      struct psog_kept *kept)
{
    uint8_t slot = newest_slot(store, model);
    if (slot == PSOG_NO_SLOT)
        return PSOG_ERR_STATE;
    find_content(slot_bytes(store, slot), kept);
    return PSOG_OK;
}

const uint8_t *psog_calibration_record(const float *rows, uint32_t *size)
{
    const uint8_t *record = (const uint8_t *)rows - HEADER_BYTES;
    *size = record_bytes(content_of(record));
    return record;
}

enum psog_error psog_calibration_open(const struct psog_model *model, const uint8_t *record, uint32_t size,
                                      struct psog_kept *kept)
{
    if (size < HEADER_BYTES || !valid_header(record) || size != record_bytes(content_of(record)) ||
        !valid_content(record) || content_of(record).features == 0)
        return PSOG_ERR_RANGE;
    if (!is_of(record, model))
        return PSOG_ERR_OTHER_MODEL;
    find_content(record, kept);
    return PSOG_OK;
}

bool psog_calibration_has_room(const struct psog_model *model)
{
    return fits((struct content){model->features, model->biases, (uint8_t)model->sensors, 0});
}

/* Puts a record for a slot together: newer than what the other one holds. Its size without marks; 0 when
 * there is no room for all of it. */
static uint32_t compose(const struct psog_store *store, uint8_t slot, const struct psog_model *model,
                        const struct psog_kept *kept, uint8_t *record)
{
    uint8_t other = 1u - slot;
    const struct content content = {
        .features = kept->rows ? model->features : 0,
        .biases = kept->rows ? model->biases : 0,
        .sensors = kept->normalisation ? (uint8_t)model->sensors : 0,
        .shift = kept->normalisation ? kept->shift : 0,
    };
    uint32_t size = record_bytes(content);
    if (!fits(content))
        return 0;
    memset(record, 0, size);
    memcpy(record, "PCAL", 4);
    psog_put_u16(record + 4, FORMAT_VERSION);
    psog_put_u16(record + 6, content.features);
    psog_put_u32(record + 8, holds(store, other, NULL) ? psog_get_u32(slot_bytes(store, other) + 8) + 1u : 0);
    psog_put_u32(record + 12, model->crc32);
    psog_put_u16(record + 16, content.biases);
    record[18] = content.sensors;
    record[19] = content.shift;
    if (content.features > 0)
        memcpy(record + HEADER_BYTES, kept->rows, rows_bytes(content));
    if (content.biases > 0)
        memcpy(record + HEADER_BYTES + rows_bytes(content), kept->biases, content.biases * sizeof(int32_t));
    if (content.sensors > 0)
        memcpy(record + user_bytes(content), kept->normalisation, PSOG_NORMALISATION_BYTES(content.sensors));
    return size;
}

/* Where a new record goes: not where the newest of this model lies, unless the other is the surer. */
static uint8_t slot_to_write(const struct psog_store *store, const struct psog_model *model)
{
    uint8_t newest = newest_slot(store, model);
    if (newest == PSOG_NO_SLOT)
        return 0;
    uint8_t other = 1u - newest;
    bool keep_other = !psog_decision_settled(marks(store, newest)) && holds(store, other, model) &&
                      psog_decision_settled(marks(store, other));
    return keep_other ? newest : other;
}

static enum psog_error erase(const struct psog_store *store, uint8_t slot)
{
    return psog_flash_erase(store->flash, slot_offset(store, slot), store->calibration_slot_bytes);
}

enum psog_error psog_calibration_save(const struct psog_store *store, const struct psog_model *model,
                                      const struct psog_kept *kept, uint8_t *record)
{
    uint8_t slot = slot_to_write(store, model);
    uint32_t size = compose(store, slot, model, kept, record);
    if (size == 0)
        return PSOG_ERR_RANGE;
    enum psog_error error = erase(store, slot);
    if (error == PSOG_OK)
        error = psog_flash_write(store->flash, slot_offset(store, slot), record, size);
    return error != PSOG_OK ? error : psog_decision_settle(marks(store, slot));
}

/* Erases the slots that do not hold a record of this model, or of any if it is NULL. */
static enum psog_error erase_others(const struct psog_store *store, const struct psog_model *model)
{
    enum psog_error error = PSOG_OK;
    for (uint8_t slot = 0; slot < 2 && error == PSOG_OK; slot++)
        if (!holds(store, slot, model) &&
            !psog_flash_erased(store->flash, slot_offset(store, slot), store->calibration_slot_bytes))
            error = erase(store, slot);
    return error;
}

enum psog_error psog_calibration_keep_only(const struct psog_store *store, const struct psog_model *model)
{
    return erase_others(store, model);
}

enum psog_error psog_calibration_settle(const struct psog_store *store, const struct psog_model *model)
{
    uint8_t slot = newest_slot(store, model);
    enum psog_error error = slot == PSOG_NO_SLOT ? PSOG_OK : psog_decision_settle(marks(store, slot));
    /* A save that was cut short must not count some day after all. */
    return error != PSOG_OK ? error : erase_others(store, NULL);
}

enum psog_error psog_calibration_erase(const struct psog_store *store)
{
    /* The older one first: were it last, a power cut would bring it back. */
    uint8_t last = newest_slot(store, NULL) == 0 ? 0 : 1;
    enum psog_error error = erase(store, 1u - last);
    return error != PSOG_OK ? error : erase(store, last);
}
