/* An upload: the image is written and checked beside the one in use; where a broken one goes on.
 * docs/SPEC.md, Flash. */
#include "bytes.h"
#include "flash.h"
#include "psog.h"
#include "slot.h"

#define PIECE_UNIT 8u

/* A slot without a settled model if there is one, never that of the installed model. */
static uint8_t free_slot(const struct psog_store *store, struct psog_installed installed)
{
    if (installed.slot != PSOG_NO_SLOT)
        return 1u - installed.slot;
    return psog_slot_read(store, 0).settled ? 1 : 0;
}

/* How much of the image has been written, by what does not read erased. */
static uint32_t written_bytes(const struct psog_store *store, uint8_t slot, uint32_t image_bytes)
{
    const uint8_t *image = psog_slot_image(store, slot);
    while (image_bytes > 0 && image[image_bytes - 1u] == store->flash->erased)
        image_bytes--;
    return image_bytes;
}

/* Where to go on after a restart: nobody knows how whole the end of what was written is, so its erase block
 * is written again, and the next one too if the piece that was cut short may have reached into it.
 * 0 when all has to be written again. */
static enum psog_error go_on(const struct psog_store *store, uint8_t slot, struct psog_upload_record record,
                             uint32_t *received)
{
    uint32_t block = store->flash->erase_bytes;
    uint32_t end = PSOG_SLOT_IMAGE_AT + written_bytes(store, slot, record.image_bytes);
    uint32_t start = (end - 1u) & ~(block - 1u);
    uint32_t limit = end + PSOG_MAX_PIECE_BYTES;
    *received = 0;
    if (start < block) /* the head's */
        return PSOG_OK;
    if (limit > store->model_slot_bytes)
        limit = store->model_slot_bytes;
    *received = start - PSOG_SLOT_IMAGE_AT;
    return psog_flash_erase(store->flash, psog_slot_offset(store, slot) + start, limit - start);
}

enum psog_error psog_upload_begin(struct psog_upload *upload, const struct psog_store *store,
                                  struct psog_installed installed, uint32_t image_bytes, uint32_t crc32)
{
    const struct psog_upload_record wanted = {image_bytes, crc32};
    struct psog_upload_record found;
    uint32_t received = 0;
    if (image_bytes < PSOG_SMALLEST_IMAGE_BYTES || image_bytes > psog_store_image_room(store) ||
        image_bytes % 4u != 0)
        return PSOG_ERR_RANGE;
    uint8_t slot = free_slot(store, installed);
    if (upload->slot == slot && upload->image_bytes == image_bytes && upload->crc32 == crc32)
        return PSOG_OK; /* all that was acknowledged is there */
    upload->slot = PSOG_NO_SLOT;
    bool same = psog_slot_upload(store, slot, &found) && found.image_bytes == image_bytes &&
                found.crc32 == crc32;
    enum psog_error error = same ? go_on(store, slot, wanted, &received) : PSOG_OK;
    if (error == PSOG_OK && received == 0)
        error = psog_slot_begin(store, slot, wanted);
    if (error == PSOG_OK)
        *upload = (struct psog_upload){store, slot, image_bytes, crc32, received};
    return error;
}

enum psog_error psog_upload_add(struct psog_upload *upload, uint32_t offset, const uint8_t *data, size_t size)
{
    if (upload->slot == PSOG_NO_SLOT)
        return PSOG_ERR_STATE;
    uint32_t room = upload->image_bytes - upload->received;
    if (offset != upload->received || size == 0 || size > room || size > PSOG_MAX_PIECE_BYTES ||
        (size < room && size % PIECE_UNIT != 0))
        return PSOG_ERR_RANGE;
    const struct psog_store *store = upload->store;
    uint32_t at = psog_slot_offset(store, upload->slot) + PSOG_SLOT_IMAGE_AT + offset;
    enum psog_error error = psog_flash_write(store->flash, at, data, (uint32_t)size);
    if (error == PSOG_OK)
        upload->received += (uint32_t)size;
    else
        upload->slot = PSOG_NO_SLOT;
    return error;
}

static enum psog_error check(const struct psog_upload *upload, uint16_t sensors, uint32_t *activations,
                             size_t size, struct psog_model *model)
{
    const struct psog_store *store = upload->store;
    const uint8_t *image = psog_slot_image(store, upload->slot);
    if (psog_get_u32(image + upload->image_bytes - PSOG_SIGNATURE_BYTES - 4u) != upload->crc32)
        return PSOG_ERR_CRC;
    enum psog_error error =
        psog_slot_open(store, upload->slot, upload->image_bytes, PSOG_UNKNOWN, size, model);
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
    if (upload->slot == PSOG_NO_SLOT || upload->received != upload->image_bytes)
        return PSOG_ERR_STATE;
    enum psog_error error = check(upload, sensors, activations, size, &found);
    if (error == PSOG_OK && installed->slot != PSOG_NO_SLOT &&
        psog_model_version(&found) < psog_model_version(model))
        error = PSOG_ERR_ROLLBACK;
    /* Of a model that was refused all is zero, its size too, and that is no header's. */
    if (error == PSOG_OK)
        error = psog_slot_commit(upload->store, upload->slot, found.image_bytes + PSOG_SIGNATURE_BYTES);
    if (error == PSOG_OK) {
        *model = found;
        *installed = (struct psog_installed){upload->slot, true};
    } else {
        (void)psog_slot_forget(upload->store, upload->slot); /* or its upload would go on with bad bytes */
    }
    upload->slot = PSOG_NO_SLOT;
    return error;
}
