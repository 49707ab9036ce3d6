/* Calibration records: any bytes in the two slots, and from a host. What is found is read to its end, and a
 * record that is saved beside them is found. */
#include "fuzz.h"
#include "memory_flash.h"
#include "psog.h"
#include "trust.h"

#define RECORD_HEADER_BYTES 20u

/* What a record of so many features, biases and sensors takes up to its marks. */
static uint32_t record_size(uint32_t features, uint32_t biases, uint32_t sensors)
{
    uint32_t rows = features > 0 ? 8u * (features + 1u) : 0;
    return (RECORD_HEADER_BYTES + rows + 4u * biases + 8u * sensors + 7u) & ~7u;
}

/* Writes bytes of the input to a slot; and where the input says so, marks that fit behind them. */
static void fill(struct input *input, uint8_t *slot)
{
    uint8_t marks = take(input);
    size_t count = take_u16(input) % (PSOG_CALIBRATION_BYTES + 1u);
    const uint8_t *bytes = take_bytes(input, &count);
    if (count > 0)
        memcpy(slot, bytes, count);
    uint32_t size = record_size(psog_get_u16(slot + 6), psog_get_u16(slot + 16), slot[18]);
    if (size <= PSOG_CALIBRATION_BYTES - 24u)
        put_marks(slot + size, psog_crc32(0, slot, size), marks % 8u);
}

/* That what was found can be read, and is in range. */
static void read_found(const struct psog_model *model, enum psog_error error, const struct psog_kept *kept)
{
    MUST((kept->rows != NULL || kept->normalisation != NULL) == (error == PSOG_OK));
    MUST((kept->biases != NULL) == (kept->rows != NULL && model->biases > 0));
    for (uint32_t i = 0; kept->rows && i < PSOG_ROWS_FLOATS(model->features); i++)
        MUST(psog_is_finite(kept->rows[i]));
    uint32_t sum = 0; /* reads them, for the sanitizer */
    for (uint32_t i = 0; kept->biases && i < model->biases; i++)
        sum += (uint32_t)kept->biases[i];
    MUST(sum == 0 || kept->biases);
    for (uint32_t i = 0; kept->normalisation && i < model->sensors; i++)
        MUST(psog_get_u32(kept->normalisation + 8u * i) <= 65535u &&
             psog_get_u32(kept->normalisation + 8u * i + 4u) - 1u < 16383u);
    MUST(!kept->normalisation || (kept->shift >= 1u + 3u * (model->planes - 1u) && kept->shift <= 30u));
}

static enum psog_error find(const struct psog_store *store, const struct psog_model *model)
{
    struct psog_kept kept = {0};
    enum psog_error error = psog_calibration_find(store, model, &kept);
    read_found(model, error, &kept);
    return error;
}

/* The bytes of a slot as if a host had sent them: in a buffer of just their size. */
static void open_sent(struct input *input, const struct psog_model *model, const uint8_t *slot)
{
    struct psog_kept kept = {0};
    uint32_t plain = record_size(model->features, model->biases, 0);
    uint32_t full = record_size(model->features, model->biases, model->sensors), other = take_u16(input);
    uint32_t size = other < 2u ? (other ? full : plain) : other % (PSOG_CALIBRATION_BYTES + 1u);
    size = size <= PSOG_CALIBRATION_BYTES ? size : PSOG_CALIBRATION_BYTES;
    uint8_t *record = malloc(size + 1u); /* of none, too, there is a buffer */
    MUST(record != NULL);
    memcpy(record, slot, size);
    enum psog_error error = psog_calibration_open(model, record, size, &kept);
    MUST(error != PSOG_OK || (size == (kept.normalisation ? full : plain) && kept.rows));
    read_found(model, error, &kept);
    free(record);
}

/* which: 0 for a user and a headset, 1 for a headset, others for a user. */
static void save_and_find(const struct psog_store *store, const struct psog_model *model, uint8_t which)
{
    static uint8_t record[PSOG_CALIBRATION_BYTES];
    static float rows[PSOG_ROWS_FLOATS(PSOG_MAX_FEATURES)];
    static int32_t biases[PSOG_MAX_BIASES];
    static uint32_t normalisation[2u * PSOG_MAX_SENSORS];
    rows[0] = (float)model->features;
    biases[0] = model->biases;
    for (uint32_t i = 0; i < 2u * PSOG_MAX_SENSORS; i++)
        normalisation[i] = 1u + i;
    const struct psog_kept user = {.rows = rows, .biases = biases};
    const struct psog_kept headset = {.normalisation = (const uint8_t *)normalisation, .shift = 4};
    const struct psog_kept both = {rows, biases, headset.normalisation, headset.shift};
    const struct psog_kept *kept = which == 0 ? &both : which == 1 ? &headset : &user;
    struct psog_kept found;
    enum psog_error error = psog_calibration_save(store, model, kept, record);
    MUST(error != PSOG_ERR_RANGE || !psog_calibration_has_room(model));
    if (error != PSOG_OK)
        return;
    MUST(psog_calibration_find(store, model, &found) == PSOG_OK);
    MUST(!found.rows == !kept->rows && !found.normalisation == !kept->normalisation);
    if (found.rows)
        MUST(memcmp(found.rows, rows, PSOG_ROWS_FLOATS(model->features) * sizeof *rows) == 0);
    if (found.rows && model->biases > 0)
        MUST(memcmp(found.biases, biases, model->biases * sizeof *biases) == 0);
    if (found.normalisation)
        MUST(memcmp(found.normalisation, normalisation, PSOG_NORMALISATION_BYTES(model->sensors)) == 0);
    if (psog_calibration_erase(store) == PSOG_OK)
        MUST(psog_calibration_find(store, model, &found) == PSOG_ERR_STATE);
}

/* The model's features and biases, what to do, each slot, then how much of the first one a host has sent. */
void fuzz_calibration(const uint8_t *data, size_t size)
{
    static struct memory_flash flash;
    struct input input = {data, size};
    struct psog_flash region = memory_flash_region(&flash);
    struct psog_store store;
    MUST(psog_store_open(&store, &region, &APP_TRUST) == PSOG_OK);
    struct psog_model model = {0};
    model.features = (uint16_t)(1u + take(&input) % PSOG_MAX_FEATURES);
    model.biases = take_u16(&input) % (PSOG_MAX_BIASES + 1u);
    model.sensors = (uint16_t)(1u + model.biases % PSOG_MAX_SENSORS);
    model.planes = (uint16_t)(1u + model.biases % PSOG_MAX_PLANES);
    uint8_t what = take(&input);
    flash.good = take(&input) % 16u;
    flash.failed = false;
    model.crc32 = what / 8u;
    uint8_t *slots = flash.memory + 2u * store.model_slot_bytes;
    memset(slots, region.erased, 2u * store.calibration_slot_bytes);
    fill(&input, slots);
    fill(&input, slots + store.calibration_slot_bytes);
    open_sent(&input, &model, slots);
    enum psog_error found = find(&store, &model);
    if (psog_calibration_settle(&store, &model) == PSOG_OK)
        MUST(find(&store, &model) == found);
    if (what % 8u == 5u) {
        enum psog_error kept = psog_calibration_keep_only(&store, &model);
        MUST(find(&store, &model) == found && (kept == PSOG_OK || flash.failed));
    }
    if (what % 8u >= 6u) /* erases all: a hundred times as long as the rest */
        save_and_find(&store, &model, what / 8u);
}
