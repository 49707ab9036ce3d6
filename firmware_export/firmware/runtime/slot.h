/* A model slot: its head says what lies in it. docs/SPEC.md, Flash. */
#ifndef PSOG_SLOT_H
#define PSOG_SLOT_H

#include "marks.h"
#include "psog.h"

#define PSOG_SLOT_IMAGE_AT 64u
#define PSOG_SMALLEST_IMAGE_BYTES (100u + PSOG_SIGNATURE_BYTES)

/* What the head of a slot says. */
struct psog_slot {
    uint32_t sequence;
    uint32_t image_bytes;
    enum psog_known known;
    bool committed; /* an image that has passed its self-test lies there */
    bool confirmed; /* and has been told to stay */
    bool settled;   /* and no restart can find that otherwise */
};

/* An upload: begun, and perhaps all there. */
struct psog_upload_record {
    uint32_t image_bytes;
    uint32_t crc32;
};

static inline uint32_t psog_slot_offset(const struct psog_store *store, uint8_t slot)
{
    return slot * store->model_slot_bytes;
}

static inline const uint8_t *psog_slot_image(const struct psog_store *store, uint8_t slot)
{
    return store->flash->memory + psog_slot_offset(store, slot) + PSOG_SLOT_IMAGE_AT;
}

struct psog_slot psog_slot_read(const struct psog_store *store, uint8_t slot);

/* Writes the header: the image counts as committed. */
enum psog_error psog_slot_commit(const struct psog_store *store, uint8_t slot, uint32_t image_bytes);

/* Confirms a committed image, or makes sure of that: psog_decision_settle. */
enum psog_error psog_slot_confirm(const struct psog_store *store, uint8_t slot);

/* Whether all that a confirmation brings with it is done, and noting so. */
bool psog_slot_is_done(const struct psog_store *store, uint8_t slot);
enum psog_error psog_slot_done(const struct psog_store *store, uint8_t slot);

/* The upload that a slot without header holds; false when there is none. */
bool psog_slot_upload(const struct psog_store *store, uint8_t slot, struct psog_upload_record *record);

/* Erases the slot as far as an image reaches, and says that its upload has begun. */
enum psog_error psog_slot_begin(const struct psog_store *store, uint8_t slot,
                                struct psog_upload_record record);

/* Erases the head, and with it what it says. */
enum psog_error psog_slot_forget(const struct psog_store *store, uint8_t slot);

/* Opens the image in a slot. model: only to be used on success. */
enum psog_error psog_slot_open(const struct psog_store *store, uint8_t slot, uint32_t image_bytes,
                               enum psog_known known, size_t activation_bytes, struct psog_model *model);

#endif
