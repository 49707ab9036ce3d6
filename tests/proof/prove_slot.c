/* Any heads of the two model slots: reading them touches nothing outside the flash, and one whose image does
 * not fit into its slot is none. Beginning, committing, confirming and forgetting program and erase whole units
 * inside the slot that was named, whatever lay there. */
#include "__fc_builtin.h"
#include "bytes.h"
#include "flash.h"
#include "slot.h"

#define BLOCK 512u
#define MODEL_SLOT (2u * BLOCK)
#define LARGEST_IMAGE (MODEL_SLOT - PSOG_SLOT_IMAGE_AT)
#define CALIBRATION_SLOT ((PSOG_CALIBRATION_BYTES + BLOCK - 1u) / BLOCK * BLOCK)
#define SIZE (2u * (MODEL_SLOT + CALIBRATION_SLOT))

static uint8_t memory[SIZE];
static uint8_t named; /* the slot that may be written */

static enum psog_error any_error(void)
{
    return Frama_C_interval(0, 1) ? PSOG_OK : PSOG_ERR_FLASH;
}

static enum psog_error program(void *context, uint32_t offset, const uint8_t *data, uint32_t size)
{
    //@ assert offset % 8 == 0 && size % 8 == 0;
    //@ assert named * MODEL_SLOT <= offset && offset + size <= (named + 1) * MODEL_SLOT;
    Frama_C_make_unknown((char *)memory, sizeof memory);
    return any_error();
}

static enum psog_error erase(void *context, uint32_t offset, uint32_t size)
{
    //@ assert offset % BLOCK == 0 && size % BLOCK == 0;
    //@ assert named * MODEL_SLOT <= offset && offset + size <= (named + 1) * MODEL_SLOT;
    Frama_C_make_unknown((char *)memory, sizeof memory);
    return any_error();
}

static const struct psog_flash flash = {
    .memory = memory,
    .size_bytes = SIZE,
    .erase_bytes = BLOCK,
    .program_bytes = 8,
    .erased = 0xFF,
    .program = program,
    .erase = erase,
};
static const struct psog_store store = {
    .flash = &flash, .model_slot_bytes = MODEL_SLOT, .calibration_slot_bytes = CALIBRATION_SLOT};

/* A head that says its image has so many bytes is none, whatever else it says. */
static void refuses(uint8_t slot, uint32_t least, uint32_t most)
{
    Frama_C_make_unknown((char *)memory, sizeof memory);
    psog_put_u32(memory + slot * MODEL_SLOT + 8, Frama_C_unsigned_int_interval(least, most));
    struct psog_slot found = psog_slot_read(&store, slot);
    //@ assert !found.committed && !found.confirmed && !found.settled;
}

static void prove_slot(uint8_t slot)
{
    struct psog_upload_record record;
    named = slot;
    Frama_C_make_unknown((char *)memory, sizeof memory);
    (void)psog_slot_read(&store, slot);
    refuses(slot, 0, PSOG_SMALLEST_IMAGE_BYTES - 1);
    refuses(slot, LARGEST_IMAGE + 1, 0xFFFFFFFF);
    (void)psog_slot_upload(&store, slot, &record);
    record.image_bytes = Frama_C_unsigned_int_interval(PSOG_SMALLEST_IMAGE_BYTES, LARGEST_IMAGE);
    record.crc32 = Frama_C_unsigned_int_interval(0, 0xFFFFFFFF);
    (void)psog_slot_begin(&store, slot, record);
    (void)psog_slot_commit(&store, slot, record.image_bytes);
    (void)psog_slot_confirm(&store, slot);
    (void)psog_slot_done(&store, slot);
    (void)psog_slot_forget(&store, slot);
}

void prove(void)
{
    prove_slot(0);
    prove_slot(1);
}
