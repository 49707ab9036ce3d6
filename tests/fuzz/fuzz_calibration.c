/* Calibration records: any bytes in the two slots, and from a host. What is found is read to its end, and a
 * record that is saved beside them is found. */
#include "fuzz.h"
#include "memory_flash.h"
#include "psog.h"
#include "trust.h"

#define RECORD_HEADER_BYTES 20u

/* What a record of so many features and biases takes up to its marks. */
static uint32_t record_size(uint32_t features, uint32_t biases)
{
    return (RECORD_HEADER_BYTES + 8u * (features + 1u) + 4u * biases + 7u) & ~7u;
}

/* Writes bytes of the input to a slot; and where the input says so, marks that fit behind them. */
static void fill(struct input *input, uint8_t *slot)
{
    uint8_t marks = take(input);
    size_t count = take_u16(input) % (PSOG_CALIBRATION_BYTES + 1u);
    const uint8_t *bytes = take_bytes(input, &count);
    if (count > 0)
        memcpy(slot, bytes, count);
    uint32_t size = record_size(psog_get_u16(slot + 6), psog_get_u16(slot + 16));
    if (size <= PSOG_CALIBRATION_BYTES - 24u)
        put_marks(slot + size, psog_crc32(0, slot, size), marks % 8u);
}

/* That rows and biases which were found can be read and are finite. */
static void read_found(const struct psog_model *model, enum psog_error error, const float *rows,
                       const int32_t *biases)
{
    MUST((rows != NULL) == (error == PSOG_OK));
    MUST((biases != NULL) == (error == PSOG_OK && model->biases > 0));
    for (uint32_t i = 0; rows && i < PSOG_ROWS_FLOATS(model->features); i++)
        MUST(psog_is_finite(rows[i]));
    uint32_t sum = 0; /* reads them, for the sanitizer */
    for (uint32_t i = 0; biases && i < model->biases; i++)
        sum += (uint32_t)biases[i];
    MUST(sum == 0 || biases);
}

static enum psog_error find(const struct psog_store *store, const struct psog_model *model)
{
    const float *rows = NULL;
    const int32_t *biases = NULL;
    enum psog_error error = psog_calibration_find(store, model, &rows, &biases);
    read_found(model, error, rows, biases);
    return error;
}

/* The bytes of a slot as if a host had sent them: in a buffer of just their size. */
static void open_sent(struct input *input, const struct psog_model *model, const uint8_t *slot)
{
    const float *rows = NULL;
    const int32_t *biases = NULL;
    uint32_t fitting = record_size(model->features, model->biases), other = take_u16(input);
    uint32_t size = other == 0 ? fitting : other % (PSOG_CALIBRATION_BYTES + 1u);
    uint8_t *record = malloc(size + 1u); /* of none, too, there is a buffer */
    MUST(record != NULL);
    memcpy(record, slot, size);
    enum psog_error error = psog_calibration_open(model, record, size, &rows, &biases);
    MUST(error != PSOG_OK || size == fitting);
    read_found(model, error, rows, biases);
    free(record);
}

static void save_and_find(const struct psog_store *store, const struct psog_model *model)
{
    static uint8_t record[PSOG_CALIBRATION_BYTES];
    static float rows[PSOG_ROWS_FLOATS(PSOG_MAX_FEATURES)];
    static int32_t biases[PSOG_MAX_BIASES];
    rows[0] = (float)model->features;
    biases[0] = model->biases;
    const float *found;
    const int32_t *told;
    if (psog_calibration_save(store, model, rows, biases, record) != PSOG_OK)
        return;
    MUST(psog_calibration_find(store, model, &found, &told) == PSOG_OK);
    MUST(memcmp(found, rows, PSOG_ROWS_FLOATS(model->features) * sizeof *rows) == 0);
    if (model->biases > 0)
        MUST(memcmp(told, biases, model->biases * sizeof *biases) == 0);
    if (psog_calibration_erase(store) == PSOG_OK)
        MUST(psog_calibration_find(store, model, &found, &told) == PSOG_ERR_STATE);
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
        save_and_find(&store, &model);
}
