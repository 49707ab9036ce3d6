/* Two model slots: the new model is written and checked beside the one in use, and its slot header, written
 * last, is what makes it count. docs/SPEC.md. */
#include "bytes.h"
#include "flash.h"
#include "psog.h"

#define SLOT_HEADER_BYTES 16u
#define SLOT_IMAGE_AT 64u
#define SMALLEST_IMAGE_BYTES 100u
#define PIECE_UNIT 8u
#define LARGEST_ERASE_BYTES 131072u /* the large sectors of STM32F4 parts */

struct slot_header {
    uint32_t sequence;
    uint32_t image_bytes;
};

static bool power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1u)) == 0;
}

enum psog_error psog_store_open(struct psog_store *store, const struct psog_flash *flash)
{
    uint32_t erase = flash->erase_bytes;
    if (!power_of_two(erase) || erase < 64 || erase > LARGEST_ERASE_BYTES ||
        !power_of_two(flash->program_bytes) || flash->program_bytes > PIECE_UNIT ||
        flash->size_bytes % erase != 0)
        return PSOG_ERR_RANGE;
    uint32_t calibration = (PSOG_CALIBRATION_BYTES + erase - 1u) & ~(erase - 1u);
    if (flash->size_bytes < 2u * (calibration + erase))
        return PSOG_ERR_RANGE;
    uint32_t model = (flash->size_bytes / 2u - calibration) & ~(erase - 1u);
    if (model < SLOT_IMAGE_AT + SMALLEST_IMAGE_BYTES)
        return PSOG_ERR_RANGE;
    *store = (struct psog_store){flash, model, calibration};
    return PSOG_OK;
}

uint32_t psog_store_image_room(const struct psog_store *store)
{
    return store->model_slot_bytes - SLOT_IMAGE_AT;
}

static bool read_header(const struct psog_store *store, uint8_t slot, struct slot_header *header)
{
    const uint8_t *bytes = store->flash->memory + slot * store->model_slot_bytes;
    header->sequence = psog_get_u32(bytes + 4);
    header->image_bytes = psog_get_u32(bytes + 8);
    return memcmp(bytes, "PSLT", 4) == 0 && psog_get_u32(bytes + 12) == psog_crc32(0, bytes, 12) &&
           header->image_bytes <= psog_store_image_room(store);
}

static enum psog_error write_header(const struct psog_store *store, uint8_t slot, struct slot_header header)
{
    uint8_t bytes[SLOT_HEADER_BYTES] = {'P', 'S', 'L', 'T'};
    psog_put_u32(bytes + 4, header.sequence);
    psog_put_u32(bytes + 8, header.image_bytes);
    psog_put_u32(bytes + 12, psog_crc32(0, bytes, 12));
    return psog_flash_write(store->flash, slot * store->model_slot_bytes, bytes, sizeof bytes);
}

/* Opens the image in a slot. model: only to be used on success. */
static enum psog_error open_image(const struct psog_store *store, uint8_t slot, uint32_t image_bytes,
                                  size_t activation_bytes, struct psog_model *model)
{
    const uint8_t *image = store->flash->memory + slot * store->model_slot_bytes + SLOT_IMAGE_AT;
    enum psog_error error = psog_model_open(model, image, image_bytes);
    if (error == PSOG_OK && model->activation_bytes > activation_bytes)
        error = PSOG_ERR_RANGE;
    return error;
}

/* No self-test: no header is written before the image has passed it, on this core. docs/SPEC.md, Flash. */
enum psog_error psog_store_find_model(const struct psog_store *store, struct psog_model *model,
                                      size_t activation_bytes, struct psog_installed *installed)
{
    struct slot_header header[2];
    bool valid[2] = {read_header(store, 0, &header[0]), read_header(store, 1, &header[1])};
    /* Sequence numbers may wrap: the newer one is less than half a turn ahead. */
    bool second_newer = valid[1] && (!valid[0] || header[1].sequence - header[0].sequence - 1u < 0x7FFFFFFFu);
    for (uint8_t attempt = 0; attempt < 2; attempt++) {
        uint8_t slot = second_newer ? 1u - attempt : attempt;
        if (valid[slot] &&
            open_image(store, slot, header[slot].image_bytes, activation_bytes, model) == PSOG_OK) {
            *installed = (struct psog_installed){slot, header[slot].sequence};
            return PSOG_OK;
        }
    }
    *installed = (struct psog_installed){.slot = PSOG_NO_SLOT};
    return PSOG_ERR_NO_MODEL;
}

enum psog_error psog_upload_begin(struct psog_upload *upload, const struct psog_store *store,
                                  struct psog_installed installed, uint32_t image_bytes, uint32_t crc32)
{
    upload->slot = PSOG_NO_SLOT;
    if (image_bytes < SMALLEST_IMAGE_BYTES || image_bytes > psog_store_image_room(store) ||
        image_bytes % 4u != 0)
        return PSOG_ERR_RANGE;
    uint8_t slot = installed.slot == 0 ? 1 : 0;
    enum psog_error error =
        psog_flash_erase(store->flash, slot * store->model_slot_bytes, SLOT_IMAGE_AT + image_bytes);
    if (error != PSOG_OK)
        return error;
    *upload = (struct psog_upload){
        .store = store,
        .slot = slot,
        .sequence = installed.sequence + 1u,
        .image_bytes = image_bytes,
        .crc32 = crc32,
    };
    return PSOG_OK;
}

enum psog_error psog_upload_add(struct psog_upload *upload, uint32_t offset, const uint8_t *data, size_t size)
{
    if (upload->slot == PSOG_NO_SLOT)
        return PSOG_ERR_STATE;
    uint32_t room = upload->image_bytes - upload->received;
    if (offset != upload->received || size == 0 || size > room || (size < room && size % PIECE_UNIT != 0))
        return PSOG_ERR_RANGE;
    const struct psog_store *store = upload->store;
    uint32_t at = upload->slot * store->model_slot_bytes + SLOT_IMAGE_AT + offset;
    enum psog_error error = psog_flash_write(store->flash, at, data, (uint32_t)size);
    if (error == PSOG_OK)
        upload->received += (uint32_t)size;
    else
        upload->slot = PSOG_NO_SLOT;
    return error;
}

static enum psog_error check_upload(const struct psog_upload *upload, uint16_t sensors, uint32_t *activations,
                                    size_t size, struct psog_model *model)
{
    const struct psog_store *store = upload->store;
    const uint8_t *image = store->flash->memory + upload->slot * store->model_slot_bytes + SLOT_IMAGE_AT;
    if (upload->received != upload->image_bytes)
        return PSOG_ERR_STATE;
    if (psog_get_u32(image + upload->image_bytes - 4u) != upload->crc32)
        return PSOG_ERR_CRC;
    enum psog_error error = open_image(store, upload->slot, upload->image_bytes, size, model);
    if (error == PSOG_OK)
        error = psog_model_self_test(model, activations, size);
    if (error == PSOG_OK && sensors != 0 && sensors != model->sensors)
        error = PSOG_ERR_HEADSET;
    return error;
}

enum psog_error psog_upload_commit(struct psog_upload *upload, uint16_t sensors, uint32_t *activations,
                                   size_t size, struct psog_model *model, struct psog_installed *installed)
{
    struct psog_model found;
    if (upload->slot == PSOG_NO_SLOT)
        return PSOG_ERR_STATE;
    enum psog_error error = check_upload(upload, sensors, activations, size, &found);
    struct slot_header header = {upload->sequence, upload->image_bytes};
    if (error == PSOG_OK)
        error = write_header(upload->store, upload->slot, header);
    if (error == PSOG_OK) {
        *model = found;
        *installed = (struct psog_installed){upload->slot, upload->sequence};
    }
    upload->slot = PSOG_NO_SLOT;
    return error;
}
