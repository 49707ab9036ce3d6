#include "slot.h"

#include "bytes.h"
#include "flash.h"

#define HEADER_BYTES 16u
#define UPLOAD_AT 16u
#define MARKS_AT 32u
#define DONE 3u /* a mark behind those of the decision */

/* The letters of a header. The last says which checks of its values the image has passed: another one when
 * image.c and its neighbours ask more of these, so that images of an older firmware are looked at again. */
#define HEADER "PSL"
#define CHECKS "T"

static const uint8_t *head(const struct psog_store *store, uint8_t slot)
{
    return store->flash->memory + psog_slot_offset(store, slot);
}

static struct psog_marks marks(const struct psog_store *store, uint8_t slot)
{
    uint32_t header_crc32 = psog_get_u32(head(store, slot) + 12);
    return (struct psog_marks){store->flash, psog_slot_offset(store, slot) + MARKS_AT, header_crc32};
}

/* Sixteen bytes: four letters, of which the first ones are given, two numbers and a CRC-32. */
static bool valid_line(const uint8_t *bytes, const char *letters)
{
    return memcmp(bytes, letters, strlen(letters)) == 0 &&
           psog_get_u32(bytes + 12) == psog_crc32(0, bytes, 12);
}

static enum psog_error write_line(const struct psog_store *store, uint32_t offset, const char *letters,
                                  uint32_t first, uint32_t second)
{
    uint8_t bytes[HEADER_BYTES];
    memcpy(bytes, letters, 4);
    psog_put_u32(bytes + 4, first);
    psog_put_u32(bytes + 8, second);
    psog_put_u32(bytes + 12, psog_crc32(0, bytes, 12));
    return psog_flash_write(store->flash, offset, bytes, sizeof bytes);
}

struct psog_slot psog_slot_read(const struct psog_store *store, uint8_t slot)
{
    const uint8_t *bytes = head(store, slot);
    struct psog_slot found = {.sequence = psog_get_u32(bytes + 4), .image_bytes = psog_get_u32(bytes + 8)};
    found.committed = valid_line(bytes, HEADER) && found.image_bytes >= PSOG_SMALLEST_IMAGE_BYTES &&
                      found.image_bytes <= psog_store_image_room(store);
    found.known = found.committed && bytes[3] == CHECKS[0] ? PSOG_VALUES_CHECKED : PSOG_UNKNOWN;
    found.settled = found.committed &&
                    (psog_decision_settled(marks(store, slot)) || psog_slot_is_done(store, slot));
    found.confirmed = found.settled || (found.committed && psog_decision_taken(marks(store, slot)));
    return found;
}

enum psog_error psog_slot_commit(const struct psog_store *store, uint8_t slot, uint32_t image_bytes)
{
    struct psog_slot other = psog_slot_read(store, 1u - slot);
    uint32_t sequence = other.committed ? other.sequence + 1u : 0;
    return write_line(store, psog_slot_offset(store, slot), HEADER CHECKS, sequence, image_bytes);
}

enum psog_error psog_slot_confirm(const struct psog_store *store, uint8_t slot)
{
    return psog_decision_settle(marks(store, slot));
}

bool psog_slot_is_done(const struct psog_store *store, uint8_t slot)
{
    return psog_mark_is_set(marks(store, slot), DONE);
}

enum psog_error psog_slot_done(const struct psog_store *store, uint8_t slot)
{
    return psog_mark_set(marks(store, slot), DONE);
}

bool psog_slot_upload(const struct psog_store *store, uint8_t slot, struct psog_upload_record *record)
{
    const uint8_t *bytes = head(store, slot) + UPLOAD_AT;
    uint32_t offset = psog_slot_offset(store, slot);
    *record = (struct psog_upload_record){psog_get_u32(bytes + 4), psog_get_u32(bytes + 8)};
    return valid_line(bytes, "PSUP") && psog_flash_erased(store->flash, offset, HEADER_BYTES) &&
           psog_flash_erased(store->flash, offset + MARKS_AT, PSOG_SLOT_IMAGE_AT - MARKS_AT);
}

enum psog_error psog_slot_begin(const struct psog_store *store, uint8_t slot,
                                struct psog_upload_record record)
{
    uint32_t offset = psog_slot_offset(store, slot);
    enum psog_error error =
        psog_flash_erase(store->flash, offset, PSOG_SLOT_IMAGE_AT + record.image_bytes);
    if (error == PSOG_OK)
        error = write_line(store, offset + UPLOAD_AT, "PSUP", record.image_bytes, record.crc32);
    return error;
}

enum psog_error psog_slot_forget(const struct psog_store *store, uint8_t slot)
{
    return psog_flash_erase(store->flash, psog_slot_offset(store, slot), PSOG_SLOT_IMAGE_AT);
}
