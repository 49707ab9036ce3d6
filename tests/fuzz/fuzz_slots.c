/* What a start finds in flash: any heads of the model slots, with images behind them. Then an upload. Each time
 * what is in use stays so at the next start, and nothing is programmed that is not erased. */
#include "fuzz.h"
#include "images.h"
#include "memory_flash.h"
#include "psog.h"
#include "slot.h"
#include "trust.h"

#define SLOT_BYTES 6144u
#define LINE_BYTES 16u
#define MARKS_AT 32u

static struct memory_flash flash;
static uint32_t activations[PSOG_MAX_ACTIVATION_BYTES / 4u];

/* A head: two lines of four letters, two numbers and a checksum, and marks; then some bytes changed. */
static void fill_slot(struct input *input, uint8_t *slot)
{
    uint8_t what = take(input);
    const struct fuzz_image *image = &FUZZ_IMAGES[what % FUZZ_IMAGE_COUNT];
    memcpy(slot + PSOG_SLOT_IMAGE_AT, image->bytes, image->size);
    if (what & 16u) {
        memcpy(slot, what & 128u ? "PSLS" : "PSLT", 4); /* of an older firmware, or of this one */
        psog_put_u32(slot + 4, take_u16(input) * 65537u);
        psog_put_u32(slot + 8, what & 32u ? take_u16(input) : image->size);
        psog_put_u32(slot + 12, psog_crc32(0, slot, 12));
    }
    if (what & 64u) {
        memcpy(slot + LINE_BYTES, "PSUP", 4);
        psog_put_u32(slot + LINE_BYTES + 4, what & 32u ? take_u16(input) : image->size);
        psog_put_u32(slot + LINE_BYTES + 8, image->crc32);
        psog_put_u32(slot + LINE_BYTES + 12, psog_crc32(0, slot + LINE_BYTES, 12));
    }
    put_marks(slot + MARKS_AT, psog_get_u32(slot + 12), take(input));
    for (uint32_t changes = take(input) % 4u; changes > 0; changes--) {
        uint32_t at = take_u16(input) % SLOT_BYTES;
        slot[at] ^= take(input);
    }
}

/* A flash of any geometry is divided into slots that lie inside, or refused. */
static void divide(struct input *input)
{
    struct psog_store store;
    const struct psog_flash any = {
        .size_bytes = (uint32_t)take_u16(input) << take(input) % 17u,
        .erase_bytes = (1u << take(input) % 20u) + take(input) / 128u,
        .program_bytes = take(input) % 18u,
    };
    enum psog_error error = psog_store_open(&store, &any, &APP_TRUST);
    MUST(error == PSOG_OK || error == PSOG_ERR_RANGE);
    if (error == PSOG_OK)
        MUST(2ull * store.model_slot_bytes + 2ull * store.calibration_slot_bytes <= any.size_bytes &&
             store.calibration_slot_bytes >= PSOG_CALIBRATION_BYTES &&
             psog_store_image_room(&store) >= PSOG_SMALLEST_IMAGE_BYTES &&
             store.model_slot_bytes % any.erase_bytes == 0);
}

struct device {
    struct psog_store store;
    struct psog_model model;
    struct psog_installed installed;
    size_t activation_bytes;
};

static enum psog_error find(struct device *device, enum psog_choice choice)
{
    enum psog_error error = psog_store_find_model(&device->store, choice, &device->model,
                                                  device->activation_bytes, &device->installed);
    MUST((error == PSOG_OK) == (device->installed.slot != PSOG_NO_SLOT));
    return error;
}

/* As the application starts (app.c); then once more: the same model is in use. Whether it counts as on trial
 * is left open: bytes that are no marks may take the places of all (marks.h). */
static void start(struct device *device, enum psog_choice choice)
{
    if (find(device, choice) != PSOG_OK) { /* nothing to clear up */
        MUST(psog_store_clear(&device->store, device->installed) == PSOG_OK || flash.failed);
        MUST(psog_store_settle(&device->store, &device->model, &device->installed) == PSOG_OK);
        MUST(psog_store_confirm(&device->store, &device->model, &device->installed) == PSOG_ERR_STATE);
        return;
    }
    (void)psog_store_clear(&device->store, device->installed);
    enum psog_error settled = psog_store_settle(&device->store, &device->model, &device->installed);
    MUST(settled != PSOG_OK || !device->installed.trial);
    if (!device->installed.trial)
        (void)psog_calibration_settle(&device->store, &device->model);
    struct device again = *device;
    if (settled == PSOG_OK && choice == PSOG_NEWEST)
        MUST(find(&again, PSOG_NEWEST) == PSOG_OK && again.installed.slot == device->installed.slot &&
             again.model.crc32 == device->model.crc32);
}

/* One image, in pieces; confirmed or not. */
static void upload(struct device *device, struct input *input)
{
    struct psog_upload upload = {.slot = PSOG_NO_SLOT};
    uint8_t what = take(input);
    const struct fuzz_image *image = &FUZZ_IMAGES[what % FUZZ_IMAGE_COUNT];
    uint32_t size = what & 64u ? take_u16(input) : image->size;
    if (device->installed.slot != PSOG_NO_SLOT && device->installed.trial)
        return; /* the application goes back to the settled model first */
    if (psog_upload_begin(&upload, &device->store, device->installed, size, image->crc32) != PSOG_OK)
        return;
    MUST(upload.received < size);
    uint8_t odd = take(input); /* what does not continue the last, or comes twice */
    (void)psog_upload_add(&upload, upload.received + odd % 4u, image->bytes, take(input));
    if (upload.slot != PSOG_NO_SLOT && odd & 4u)
        MUST(psog_upload_begin(&upload, &device->store, device->installed, size, image->crc32) == PSOG_OK ||
             flash.failed);
    if (odd & 8u) /* and after a restart */
        upload.slot = PSOG_NO_SLOT;
    if (psog_upload_begin(&upload, &device->store, device->installed, size, image->crc32) != PSOG_OK)
        return;
    while (upload.received < size && upload.received < image->size) {
        uint32_t left = image->size - upload.received;
        uint32_t count = left < PSOG_MAX_PIECE_BYTES ? left : PSOG_MAX_PIECE_BYTES;
        if (psog_upload_add(&upload, upload.received, image->bytes + upload.received, count) != PSOG_OK)
            break;
    }
    uint16_t sensors = odd & 16u ? 14 : 0; /* the images have 15 */
    enum psog_error error = psog_upload_commit(&upload, sensors, activations, device->activation_bytes,
                                               &device->model, &device->installed);
    if (error != PSOG_OK)
        return;
    MUST(device->installed.trial && device->model.crc32 == image->crc32);
    if (what & 128u)
        (void)psog_store_confirm(&device->store, &device->model, &device->installed);
}

void fuzz_slots(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct psog_flash region = memory_flash_region(&flash);
    struct device device = {0};
    MUST(psog_store_open(&device.store, &region, &APP_TRUST) == PSOG_OK);
    MUST(device.store.model_slot_bytes == SLOT_BYTES);
    memset(flash.memory, region.erased, sizeof flash.memory);
    uint8_t what = take(&input);
    if (what >= 240u)
        divide(&input);
    flash.good = take(&input) % 32u;
    flash.failed = false;
    device.activation_bytes = what & 8u ? 64u : sizeof activations;
    enum psog_choice choice = (enum psog_choice)(what % 3u);
    fill_slot(&input, flash.memory);
    fill_slot(&input, flash.memory + device.store.model_slot_bytes);
    start(&device, choice);
    if (input.left > 0)
        upload(&device, &input);
    start(&device, PSOG_NEWEST);
}
