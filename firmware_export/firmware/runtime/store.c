/* Two model slots: which of them is in use. A new model is on trial until it is confirmed; a restart before
 * that finds the one it was to follow. docs/SPEC.md, Flash. */
#include "bytes.h"
#include "flash.h"
#include "psog.h"
#include "slot.h"

#define LARGEST_UNIT_BYTES 8u
#define LARGEST_ERASE_BYTES 131072u /* the large sectors of STM32F4 parts */

static bool power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1u)) == 0;
}

enum psog_error psog_store_open(struct psog_store *store, const struct psog_flash *flash,
                                const struct psog_trust *trust)
{
    uint32_t erase = flash->erase_bytes;
    if (!power_of_two(erase) || erase < 64 || erase > LARGEST_ERASE_BYTES ||
        !power_of_two(flash->program_bytes) || flash->program_bytes > LARGEST_UNIT_BYTES ||
        flash->size_bytes % erase != 0)
        return PSOG_ERR_RANGE;
    uint32_t calibration = (PSOG_CALIBRATION_BYTES + erase - 1u) & ~(erase - 1u);
    if (flash->size_bytes < 2u * (calibration + erase))
        return PSOG_ERR_RANGE;
    uint32_t model = (flash->size_bytes / 2u - calibration) & ~(erase - 1u);
    if (model < PSOG_SLOT_IMAGE_AT + PSOG_SMALLEST_IMAGE_BYTES)
        return PSOG_ERR_RANGE;
    *store = (struct psog_store){flash, trust, model, calibration};
    return PSOG_OK;
}

uint32_t psog_store_image_room(const struct psog_store *store)
{
    return store->model_slot_bytes - PSOG_SLOT_IMAGE_AT;
}

enum psog_error psog_slot_open(const struct psog_store *store, uint8_t slot, uint32_t image_bytes,
                               enum psog_known known, size_t activation_bytes, struct psog_model *model)
{
    enum psog_error error =
        psog_model_open_signed(model, psog_slot_image(store, slot), image_bytes, store->trust, known);
    if (error == PSOG_OK && model->activation_bytes > activation_bytes)
        error = PSOG_ERR_RANGE;
    return error;
}

/* The slot to try first. Sequence numbers may wrap: the newer is less than half a turn ahead. */
static uint8_t first_choice(const struct psog_slot slots[2], enum psog_choice choice)
{
    bool second_newer = slots[1].sequence - slots[0].sequence - 1u < 0x7FFFFFFFu;
    return second_newer != (choice == PSOG_OLDER) ? 1 : 0;
}

/* No self-test, and no look at values: no header is written before the image has passed both, on this core.
 * docs/SPEC.md, Flash. */
enum psog_error psog_store_find_model(const struct psog_store *store, enum psog_choice choice,
                                      struct psog_model *model, size_t activation_bytes,
                                      struct psog_installed *installed)
{
    const struct psog_slot slots[2] = {psog_slot_read(store, 0), psog_slot_read(store, 1)};
    uint8_t first = first_choice(slots, choice);
    for (uint8_t attempt = 0; attempt < 2; attempt++) {
        uint8_t slot = attempt == 0 ? first : 1u - first;
        const struct psog_slot *found = &slots[slot];
        if ((choice == PSOG_SETTLED ? found->settled : found->confirmed) &&
            psog_slot_open(store, slot, found->image_bytes, found->known, activation_bytes, model) ==
                PSOG_OK) {
            *installed = (struct psog_installed){slot, !slots[slot].settled};
            return PSOG_OK;
        }
    }
    *installed = (struct psog_installed){.slot = PSOG_NO_SLOT};
    return PSOG_ERR_NO_MODEL;
}

/* Calibrations of other models go only now: had the trial failed, one of them would be wanted again. */
static enum psog_error finish(const struct psog_store *store, const struct psog_model *model,
                              struct psog_installed *installed)
{
    enum psog_error error = psog_slot_confirm(store, installed->slot);
    if (error != PSOG_OK)
        return error;
    installed->trial = false;
    error = psog_calibration_keep_only(store, model);
    if (error == PSOG_OK)
        (void)psog_slot_done(store, installed->slot); /* without it the next start looks again, no more */
    return error;
}

enum psog_error psog_store_confirm(const struct psog_store *store, const struct psog_model *model,
                                   struct psog_installed *installed)
{
    if (installed->slot == PSOG_NO_SLOT || !installed->trial)
        return PSOG_ERR_STATE;
    return finish(store, model, installed);
}

enum psog_error psog_store_clear(const struct psog_store *store, struct psog_installed installed)
{
    enum psog_error error = PSOG_OK;
    for (uint8_t slot = 0; slot < 2 && error == PSOG_OK; slot++) {
        struct psog_slot there = psog_slot_read(store, slot);
        /* A confirmation torn half through might be read as one some day. */
        if (slot != installed.slot && there.committed && !there.confirmed)
            error = psog_slot_forget(store, slot);
    }
    return error;
}

enum psog_error psog_store_settle(const struct psog_store *store, const struct psog_model *model,
                                  struct psog_installed *installed)
{
    if (installed->slot == PSOG_NO_SLOT || psog_slot_is_done(store, installed->slot))
        return PSOG_OK;
    return finish(store, model, installed);
}
