/* Storage: two model slots and two calibration slots in one region of NOR flash. Part of psog.h.
 * docs/SPEC.md, Flash, has the bits, and why no power cut leaves anything but the old or the new. */
#ifndef PSOG_STORAGE_H
#define PSOG_STORAGE_H

#include "psog.h"

struct psog_flash {
    const uint8_t *memory;  /* the region as the core reads it; models run in place */
    uint32_t size_bytes;    /* a whole number of erase blocks */
    uint32_t erase_bytes;   /* size of an erase block, a power of two, 64 … 131072 */
    uint32_t program_bytes; /* smallest unit that can be programmed: 1, 2, 4 or 8 */
    uint8_t erased;         /* what an erased byte reads: 0xFF or 0x00 */
    void *context;          /* handed to the functions */
    /* offset and size are whole program units, in rising order, and whole erase blocks; an error is
     * PSOG_ERR_FLASH. No unit is programmed twice between erases, unless it reads erased. */
    enum psog_error (*program)(void *context, uint32_t offset, const uint8_t *data, uint32_t size);
    enum psog_error (*erase)(void *context, uint32_t offset, uint32_t size);
};

#define PSOG_NO_SLOT 2u

struct psog_store {
    const struct psog_flash *flash;
    const struct psog_trust *trust;
    uint32_t model_slot_bytes;
    uint32_t calibration_slot_bytes;
};

/* The model in use: where it lies, and whether a restart would go back to the one before it. slot is
 * PSOG_NO_SLOT without one. */
struct psog_installed {
    uint8_t slot;
    bool trial;
};

/* Divides the region; what is opened of it is signed by someone in trust. Both have to stay where they are.
 * Returns PSOG_ERR_RANGE for a geometry it cannot use. */
enum psog_error psog_store_open(struct psog_store *store, const struct psog_flash *flash,
                                const struct psog_trust *trust);

/* Bytes of the largest image that a slot takes. */
uint32_t psog_store_image_room(const struct psog_store *store);

/* Which of two confirmed models. */
enum psog_choice {
    PSOG_NEWEST,
    PSOG_OLDER,   /* the other one, as long as there is one: the newest hangs */
    PSOG_SETTLED, /* the newest whose confirmation no cut has touched: a trial is over */
};

/* Opens a confirmed model that has a valid image and activations that fit into so many bytes.
 * That it passes its self-test here is what its header says. Returns PSOG_ERR_NO_MODEL without one. */
enum psog_error psog_store_find_model(const struct psog_store *store, enum psog_choice choice,
                                      struct psog_model *model, size_t activation_bytes,
                                      struct psog_installed *installed);

/* To be called once, at a start: erases a model that was not confirmed. */
enum psog_error psog_store_clear(const struct psog_store *store, struct psog_installed installed);

/* To be called once, at a start: finishes a confirmation that a power cut has interrupted, so that what is in
 * use now stays so. Returns PSOG_ERR_FLASH, or PSOG_ERR_STATE when so many cuts fell into the same few bytes
 * that nothing is sure; the model then counts as on trial. */
enum psog_error psog_store_settle(const struct psog_store *store, const struct psog_model *model,
                                  struct psog_installed *installed);

/* Makes a model on trial the confirmed one, and erases the calibrations of every other.
 * Returns PSOG_ERR_STATE when none is on trial. */
enum psog_error psog_store_confirm(const struct psog_store *store, const struct psog_model *model,
                                   struct psog_installed *installed);

/* An image on its way into the slot that is not in use. */
struct psog_upload {
    const struct psog_store *store;
    uint8_t slot; /* PSOG_NO_SLOT: none under way */
    uint32_t image_bytes;
    uint32_t crc32;
    uint32_t received; /* where to go on */
};

/* Begins an upload, or goes on with one of the same image: upload->received says where. After a restart that
 * is the start of an erase block, whose erasing is what it costs. No model may be on trial.
 * Returns PSOG_ERR_RANGE when the image cannot fit, PSOG_ERR_FLASH. */
enum psog_error psog_upload_begin(struct psog_upload *upload, const struct psog_store *store,
                                  struct psog_installed installed, uint32_t image_bytes, uint32_t crc32);

/* The longest piece: a power cut damages no more than that behind what was acknowledged. */
#define PSOG_MAX_PIECE_BYTES 192u

/* Writes the next piece: offset continues the last, size is a multiple of 8 except for the last piece. */
enum psog_error psog_upload_add(struct psog_upload *upload, uint32_t offset, const uint8_t *data,
                                size_t size);

/* Checks the image and its self-test, then opens it and has it on trial. Returns PSOG_ERR_STATE, and the
 * upload goes on, when something is missing. On any other error it is over and forgotten, and the installed
 * model stays; PSOG_ERR_RANGE says that the model needs more activations than the board has,
 * PSOG_ERR_ROLLBACK that its version counter is below that of the installed one.
 * sensors: what the board's sensors deliver, 0 when not known yet; another number in the image is
 * PSOG_ERR_HEADSET. */
enum psog_error psog_upload_commit(struct psog_upload *upload, uint16_t sensors, uint32_t *activations,
                                   size_t size, struct psog_model *model, struct psog_installed *installed);

/* What a calibration record holds: a user's, a headset's standardisation, or both. */
struct psog_kept {
    const float *rows;            /* PSOG_ROWS_FLOATS(features) of a user; NULL without one */
    const int32_t *biases;        /* model->biases of a user; NULL without one, or a user embedding */
    const uint8_t *normalisation; /* of a headset, what psog_standardise has found; NULL: the model's own */
    uint8_t shift;                /* of that normalisation */
};

/* Finds what the newest record of a model holds. It lies in flash, and stays as it is until the second save
 * from then, or an erase.
 * Returns PSOG_ERR_STATE when there is none for this model; nothing is changed then. */
enum psog_error psog_calibration_find(const struct psog_store *store, const struct psog_model *model,
                                      struct psog_kept *kept);

/* The record, up to its marks, whose gaze rows psog_calibration_find has found. */
const uint8_t *psog_calibration_record(const float *rows, uint32_t *size);

/* Checks a user's record that comes from elsewhere, up to its marks, and finds what it holds.
 * record: size bytes at a multiple of 4. Its sequence number is not looked at.
 * Returns PSOG_ERR_RANGE when it is malformed or has no user, PSOG_ERR_OTHER_MODEL. */
enum psog_error psog_calibration_open(const struct psog_model *model, const uint8_t *record, uint32_t size,
                                      struct psog_kept *kept);

/* Record and marks have a whole 4 KB block at most. */
#define PSOG_CALIBRATION_BYTES 4096u

/* Whether a record of this model has room for a standardisation beside a user: not with 58 sensors or more
 * and the most features and biases. */
bool psog_calibration_has_room(const struct psog_model *model);

/* Stores a user, a standardisation (where there is room), or both. Until the last byte is written the record
 * before is the valid one. record: PSOG_CALIBRATION_BYTES to put it together in; may be the buffer of the
 * activations. Returns PSOG_ERR_RANGE without room, PSOG_ERR_FLASH. */
enum psog_error psog_calibration_save(const struct psog_store *store, const struct psog_model *model,
                                      const struct psog_kept *kept, uint8_t *record);

/* Erases the calibrations of all models but this one, and what a power cut has left of any. */
enum psog_error psog_calibration_keep_only(const struct psog_store *store, const struct psog_model *model);

/* To be called once, at a start, as psog_store_settle: of the calibration that is found. */
enum psog_error psog_calibration_settle(const struct psog_store *store, const struct psog_model *model);

/* Forgets every stored calibration, and leaves no byte of it in flash. */
enum psog_error psog_calibration_erase(const struct psog_store *store);

#endif
