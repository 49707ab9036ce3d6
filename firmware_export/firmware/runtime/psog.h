/* psog runtime: from photosensor readings to gaze on a microcontroller.
 *
 * C99, no allocation, no global state: every buffer belongs to the caller and comes with its length. A
 * function that can fail returns PSOG_OK or a negative enum psog_error and then has changed nothing that
 * was in use. docs/SPEC.md has the bits of images, frames and flash; README.md beside this folder the why.
 */
#ifndef PSOG_H
#define PSOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum psog_error {
    PSOG_OK = 0,
    PSOG_ERR_RANGE = -1,     /* a value is out of range */
    PSOG_ERR_LENGTH = -2,    /* a buffer or message has the wrong length */
    PSOG_ERR_STATE = -3,     /* not possible in this state */
    PSOG_ERR_IMAGE = -4,     /* the model image is malformed */
    PSOG_ERR_HEADSET = -5,   /* the model is made for another headset */
    PSOG_ERR_SELF_TEST = -6, /* the model does not reproduce its own test vector */
    PSOG_ERR_FLASH = -7,     /* writing flash failed */
    PSOG_ERR_NO_MODEL = -8,  /* no model is installed */
    PSOG_ERR_TOO_FEW = -9,   /* too few calibration samples */
    PSOG_ERR_UNKNOWN = -10,  /* an unknown command */
    PSOG_ERR_CRC = -11,      /* a checksum does not match */
    PSOG_ERR_CORE = -12,     /* the model's weights are packed for another kind of core */
};

/* Limits of the image format; buffers of these sizes hold every model. */
#define PSOG_MAX_SENSORS 64u
#define PSOG_MAX_FEATURES 64u
#define PSOG_MAX_LAYERS 8u
#define PSOG_MAX_ACTIVATION_BYTES 16384u
#define PSOG_MAX_IMAGE_BYTES (1u << 20)
#define PSOG_OUTPUTS 4u      /* gaze right, gaze up (degrees), openness (0 … 1), ln of the expected error */
#define PSOG_MAX_PLANES 2u
#define PSOG_RESIDUAL_BITS 3u /* a second input plane is this much finer */
#define PSOG_GAZE_OUTPUTS 2u /* of these, the ones a calibration fits */
#define PSOG_OPENNESS 2u     /* 0 closed … 1 open */
#define PSOG_LN_ERROR 3u     /* natural logarithm of the expected gaze error in degrees */
#define PSOG_HEAD_FLOATS(features) (PSOG_OUTPUTS * ((features) + 1u))
#define PSOG_ROWS_FLOATS(features) (PSOG_GAZE_OUTPUTS * ((features) + 1u)) /* of a user */
#define PSOG_MAX_NUMBERS 32u /* of a user embedding */
#define PSOG_MAX_BIASES 768u /* of all layers of a model with an embedding: a user's fit a block of 4 KB */

/* ---- Model image -------------------------------------------------------------------------------- */

/* A checked image, run in place. Filled by psog_model_open; the image must stay where it is. */
struct psog_model {
    const uint8_t *image;
    const uint8_t *normalisation;
    const uint8_t *layout;
    const uint8_t *layers;
    const uint8_t *head;
    const uint8_t *test_vector;
    const uint8_t *embedding; /* when numbers > 0 */
    uint32_t image_bytes;
    uint32_t crc32; /* the image's trailer: its identity */
    uint32_t activation_bytes;
    float feature_scale; /* real feature = scale · (q − zero) */
    int32_t feature_zero;
    float ridge;          /* λ of the calibration, > 0 */
    float calibration_ln; /* what output PSOG_LN_ERROR changes by once the head is a user's */
    float field_deg[2];   /* half width and half height in which targets may lie */
    uint16_t sensors;
    uint16_t features;
    uint16_t cells;  /* of the input grid */
    uint16_t planes; /* of the input: 1, or 2 with the residual of the first */
    uint16_t biases; /* of all layers, when numbers > 0 */
    int8_t input_zero;
    uint8_t numbers; /* of its user embedding; 0 in a model without one */
    uint8_t layer_count;
    uint8_t normalisation_shift;
    bool paired; /* weights and activations are (layer.h) */
};

/* Checks everything about an image (length, CRC, offsets, sizes, shapes, values) before it is used.
 * image: size bytes at a multiple of 4. Returns PSOG_ERR_CRC, PSOG_ERR_IMAGE, or PSOG_ERR_CORE. */
enum psog_error psog_model_open(struct psog_model *model, const uint8_t *image, size_t size);

/* Whether images for this core have paired layers (docs/SPEC.md, Packings). */
bool psog_prefers_paired(void);

/* Runs the stored reading and compares: features exactly, head output within 1e-3.
 * activations: at least model->activation_bytes. Returns PSOG_ERR_SELF_TEST or PSOG_ERR_LENGTH. */
enum psog_error psog_model_self_test(const struct psog_model *model, uint32_t *activations, size_t size);

/* The image's headset name: 16 bytes, zero padded. */
const uint8_t *psog_model_headset(const struct psog_model *model);

/* ---- Inference ---------------------------------------------------------------------------------- */

/* One reading to features: normalisation, layout, layers.
 * biases: model->biases of a user (psog_tell), or NULL for the image's own, a stranger's.
 * readings: model->sensors values, left-aligned to 16 bits. features: room for model->features.
 * Returns PSOG_ERR_LENGTH when activations are smaller than model->activation_bytes. */
enum psog_error psog_infer(const struct psog_model *model, const int32_t *biases, const uint16_t *readings,
                           uint32_t *activations, size_t activation_bytes, int8_t *features);

/* output = head · (real features, 1). rows: a user's gaze rows, PSOG_ROWS_FLOATS(model->features), or NULL
 * for the population's, whose are the other rows in any case. With a user's, model->calibration_ln is to be
 * added to the last output. */
void psog_head_apply(const struct psog_model *model, const float *rows, const int8_t *features,
                     float output[PSOG_OUTPUTS]);

/* ---- Calibration: fits the head's gaze rows to a user and, for models with a user embedding, tells the
 * network whose eye it sees --------------------------------------------------------------------------- */

#define PSOG_STATISTICS 3u /* of each sensor: mean, and covariance with each target angle */
#define PSOG_SAMPLES_PER_TARGET 4u

/* What a target takes of a buffer. values: features, or with a user embedding the larger of that and
 * sensors · planes. */
#define PSOG_TARGET_BYTES(values) (4u * PSOG_GAZE_OUTPUTS + 4u + PSOG_SAMPLES_PER_TARGET * (values))
#define PSOG_MAX_TARGET_BYTES PSOG_TARGET_BYTES(PSOG_MAX_PLANES * PSOG_MAX_SENSORS)

/* What is kept of a calibration: a few samples of each target, evenly over the time. So every target counts
 * the same, however long it was looked at. */
struct psog_samples {
    const struct psog_model *model;
    uint8_t *bytes;       /* the caller's: capacity × PSOG_TARGET_BYTES(value_bytes) */
    uint32_t value_bytes; /* of a sample */
    uint32_t capacity;
    uint32_t targets;  /* of which there are samples */
    uint32_t count;    /* of samples */
    uint32_t readings; /* of all targets, kept or not */
    float residual;    /* Σ |target − gaze|² of these by the population's network and head */
    float target_deg[PSOG_GAZE_OUTPUTS];
    uint16_t wanted, added, kept; /* readings of this target */
};

/* Starts with none. bytes: used until the solve; at a multiple of 4 in memory. */
void psog_samples_begin(struct psog_samples *samples, const struct psog_model *model, void *bytes,
                        size_t size);

/* Whether a target lies inside the headset's field; NaN does not. */
bool psog_in_field(const struct psog_model *model, const float target_deg[2]);

/* The next `wanted` readings (1 or more) belong to this target. Returns PSOG_ERR_RANGE when it lies outside
 * the field, PSOG_ERR_STATE when there is no room for another target. */
enum psog_error psog_samples_target(struct psog_samples *samples, const float target_deg[2], uint16_t wanted);

/* Adds a reading; a few of a target's are kept. features: of it by the population's network.
 * readings: only looked at with a user embedding. */
void psog_samples_add(struct psog_samples *samples, const uint16_t *readings, const int8_t *features);

/* What a calibration finds; buffers of the caller. */
struct psog_user {
    float *rows;     /* PSOG_ROWS_FLOATS(features) */
    float *numbers;  /* model->numbers */
    int32_t *biases; /* model->biases; may lie where the samples do: written last */
};

/* How good a calibration is; degrees, rms. */
struct psog_fit {
    uint32_t samples;         /* readings of all targets */
    float before_deg;         /* on these, by the population's network and head */
    float after_deg;          /* on the kept ones, by the user's */
    float left_out_deg;       /* on those of each target by rows fitted without it: over the targets */
    float left_out_worst_deg; /* the same of the worst target */
};

/* What psog_samples_solve needs beside the samples. It may be the buffer of the activations. */
size_t psog_work_bytes(const struct psog_model *model);
#define PSOG_MAX_WORK_BYTES (PSOG_MAX_ACTIVATION_BYTES + 4u * PSOG_MAX_BIASES) /* holds every model's */

/* The biases of a user with these numbers. */
void psog_tell(const struct psog_model *model, const float *numbers, int32_t *biases);

/* Finds numbers, biases and rows of a user: rows W = W₀ + (FᵀF/n + λI)⁻¹ Fᵀ(T − F W₀)/n for n samples. The
 * samples are used up. work: psog_work_bytes(model), a multiple of 4 in memory.
 * Returns PSOG_ERR_LENGTH when that is too little, PSOG_ERR_TOO_FEW without samples, PSOG_ERR_RANGE when a
 * number is out of range or there is no finite solution; then what user points to is not to be used. */
enum psog_error psog_samples_solve(const struct psog_samples *samples, void *work, size_t work_bytes,
                                   const struct psog_user *user, struct psog_fit *fit);

/* ---- Frames: COBS(header · payload · CRC-32) and a zero ------------------------------------------- */

#define PSOG_FRAME_MAX_PAYLOAD 208u
#define PSOG_FRAME_MAX_BODY (4u + PSOG_FRAME_MAX_PAYLOAD + 4u)
#define PSOG_FRAME_MAX_WIRE (PSOG_FRAME_MAX_BODY + 2u) /* one COBS code, one closing zero */

struct psog_frame {
    uint8_t type;
    uint16_t sequence;
    const uint8_t *payload;
    size_t payload_size;
};

/* Bytes of a frame on its way in. Zeroed at the start. */
struct psog_frame_receiver {
    uint8_t bytes[PSOG_FRAME_MAX_WIRE];
    uint16_t count;
    bool overflow; /* too long to be a frame: passed over up to the next zero */
};

enum psog_frame_event {
    PSOG_FRAME_PENDING, /* nothing complete yet */
    PSOG_FRAME_READY,   /* frame is filled in, valid until the next byte */
    PSOG_FRAME_BAD,     /* something that is no frame ended here */
};

/* Takes one received byte. */
enum psog_frame_event psog_frame_push(struct psog_frame_receiver *receiver, uint8_t byte,
                                      struct psog_frame *frame);

/* Writes the frame's bytes, closing zero included, and returns their number; 0 when the payload is longer
 * than PSOG_FRAME_MAX_PAYLOAD. */
size_t psog_frame_encode(const struct psog_frame *frame, uint8_t wire[PSOG_FRAME_MAX_WIRE]);

/* CRC-32 as zlib computes it; start with crc = 0 and chain. */
uint32_t psog_crc32(uint32_t crc, const uint8_t *data, size_t size);

/* ---- Storage: two model slots and two calibration slots in one region of NOR flash ---------------- */

struct psog_flash {
    const uint8_t *memory;  /* the region as the core reads it; models run in place */
    uint32_t size_bytes;    /* a whole number of erase blocks */
    uint32_t erase_bytes;   /* size of an erase block, a power of two, 64 … 131072 */
    uint32_t program_bytes; /* smallest unit that can be programmed: 1, 2, 4 or 8 */
    uint8_t erased;         /* what an erased byte reads: 0xFF or 0x00 */
    void *context;          /* handed to the functions */
    /* offset and size are whole program units, and whole erase blocks; an error is PSOG_ERR_FLASH */
    enum psog_error (*program)(void *context, uint32_t offset, const uint8_t *data, uint32_t size);
    enum psog_error (*erase)(void *context, uint32_t offset, uint32_t size);
};

#define PSOG_NO_SLOT 2u

struct psog_store {
    const struct psog_flash *flash;
    uint32_t model_slot_bytes;
    uint32_t calibration_slot_bytes;
};

/* The installed model: where it lies and how new it is. slot is PSOG_NO_SLOT without one. */
struct psog_installed {
    uint8_t slot;
    uint32_t sequence;
};

/* Divides the region. Returns PSOG_ERR_RANGE for a geometry it cannot use. */
enum psog_error psog_store_open(struct psog_store *store, const struct psog_flash *flash);

/* Bytes of the largest image that a slot takes. */
uint32_t psog_store_image_room(const struct psog_store *store);

/* Opens the newest model that has a valid header, a valid image and activations that fit into so many bytes.
 * That it passes its self-test here is what its header says. Returns PSOG_ERR_NO_MODEL without one. */
enum psog_error psog_store_find_model(const struct psog_store *store, struct psog_model *model,
                                      size_t activation_bytes, struct psog_installed *installed);

/* An image on its way into the slot that is not in use. */
struct psog_upload {
    const struct psog_store *store;
    uint8_t slot; /* PSOG_NO_SLOT: none under way */
    uint32_t sequence;
    uint32_t image_bytes;
    uint32_t crc32;
    uint32_t received;
};

/* Erases the slot that is not in use. Returns PSOG_ERR_RANGE when the image cannot fit, PSOG_ERR_FLASH. */
enum psog_error psog_upload_begin(struct psog_upload *upload, const struct psog_store *store,
                                  struct psog_installed installed, uint32_t image_bytes, uint32_t crc32);

/* Writes the next piece: offset continues the last, size is a multiple of 8 except for the last piece. */
enum psog_error psog_upload_add(struct psog_upload *upload, uint32_t offset, const uint8_t *data,
                                size_t size);

/* Checks the image and its self-test, then makes it the newest model and opens it.
 * On any error the upload is over and the installed model stays; PSOG_ERR_RANGE says that the
 * model needs more activations than the board has. sensors: what the board's sensors deliver,
 * 0 when not known yet; another number in the image is PSOG_ERR_HEADSET. */
enum psog_error psog_upload_commit(struct psog_upload *upload, uint16_t sensors, uint32_t *activations,
                                   size_t size, struct psog_model *model, struct psog_installed *installed);

/* Finds the newest stored calibration: its gaze rows, PSOG_ROWS_FLOATS(features), and model->biases of them,
 * NULL without a user embedding. They lie in flash, and stay as they are until the second save from then, or
 * an erase.
 * Returns PSOG_ERR_STATE when there is none for this model; nothing is changed then. */
enum psog_error psog_calibration_find(const struct psog_store *store, const struct psog_model *model,
                                      const float **rows, const int32_t **biases);

/* The longest calibration record: header, gaze rows, biases, CRC. */
#define PSOG_CALIBRATION_BYTES (20u + 8u * (PSOG_MAX_FEATURES + 1u) + 4u * PSOG_MAX_BIASES + 4u)

/* Stores gaze rows and biases. Until the last byte is written the previous calibration is the valid one.
 * record: PSOG_CALIBRATION_BYTES to put it together in; may be the buffer of the activations. */
enum psog_error psog_calibration_save(const struct psog_store *store, const struct psog_model *model,
                                      const float *rows, const int32_t *biases, uint8_t *record);

/* Forgets every stored calibration, and leaves no byte of it in flash. */
enum psog_error psog_calibration_erase(const struct psog_store *store);

#endif
