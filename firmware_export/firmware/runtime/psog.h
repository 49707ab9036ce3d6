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
    PSOG_ERR_SIGNATURE = -13, /* the model is signed by nobody whom this headset trusts */
    PSOG_ERR_ROLLBACK = -14, /* the model is older than the confirmed one */
    PSOG_ERR_NOT_BETTER = -15, /* the calibration would not be better than what is in use */
    PSOG_ERR_OTHER_MODEL = -16, /* the calibration belongs to another model */
    PSOG_ERR_LEAN = -17, /* this build is for another model and has no code for this one (holds.h) */
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
};

#define PSOG_SIGNATURE_BYTES 64u /* behind an image: EdDSA on the curve of Ed25519 with BLAKE2b */

/* Whose models a headset takes. */
struct psog_trust {
    uint8_t keys[2][32]; /* public keys; a signature by one of them is enough */
    uint8_t key_count;   /* 1 or 2 */
    char headset[16];    /* the name that a model has to be made for, zero padded; empty for any */
};

/* What is known of an image before it is opened: that psog_model_open took every bit of it once. */
enum psog_known { PSOG_UNKNOWN, PSOG_VALUES_CHECKED };

/* Checks the signature, before it looks at anything else of the image, then the headset, then the image.
 * image: size bytes, signature included, at a multiple of 4. model: all zero unless PSOG_OK is returned.
 * Returns PSOG_ERR_SIGNATURE, PSOG_ERR_HEADSET, or what psog_model_open does. */
enum psog_error psog_model_open_signed(struct psog_model *model, const uint8_t *image, size_t size,
                                       const struct psog_trust *trust, enum psog_known known);

/* Checks everything about an image (length, CRC, offsets, sizes, shapes, values) before it is used, but not
 * who made it: for images that come with the program.
 * image: size bytes, without a signature, at a multiple of 4. Returns PSOG_ERR_CRC, PSOG_ERR_IMAGE, or
 * PSOG_ERR_CORE. */
enum psog_error psog_model_open(struct psog_model *model, const uint8_t *image, size_t size);

/* Whether images for this core have paired layers (docs/SPEC.md, Packings). */
bool psog_prefers_paired(void);

/* Runs the stored reading and compares: features exactly, head output within 1e-3.
 * activations: at least model->activation_bytes. Returns PSOG_ERR_SELF_TEST or PSOG_ERR_LENGTH. */
enum psog_error psog_model_self_test(const struct psog_model *model, uint32_t *activations, size_t size);

/* The image's headset name: 16 bytes, zero padded. */
const uint8_t *psog_model_headset(const struct psog_model *model);

/* The image's version counter. */
uint32_t psog_model_version(const struct psog_model *model);

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
#define PSOG_TARGET_BYTES(values) (4u * PSOG_GAZE_OUTPUTS + 12u + PSOG_SAMPLES_PER_TARGET * (values))
#define PSOG_MAX_TARGET_BYTES PSOG_TARGET_BYTES(PSOG_MAX_PLANES * PSOG_MAX_SENSORS)

/* What is kept of a calibration: a few samples of each target, evenly over the time. So every target counts
 * the same, however long it was looked at. */
struct psog_samples {
    const struct psog_model *model;
    uint8_t *bytes;       /* the caller's: capacity × PSOG_TARGET_BYTES(value_bytes) */
    uint32_t value_bytes; /* of a sample */
    uint32_t capacity;
    uint32_t targets; /* of which there are samples */
    uint32_t count;   /* of samples */
    float target_deg[PSOG_GAZE_OUTPUTS];
    float residual;               /* of this target, see struct psog_target */
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
 * readings: only looked at with a user embedding. in_use_deg: its gaze by what is in use, the same from the
 * first reading to the last; NULL: the population's. */
void psog_samples_add(struct psog_samples *samples, const uint16_t *readings, const int8_t *features,
                      const float *in_use_deg);

/* Forgets what was kept of the targets at this place, and that readings are added to one there. The bytes of
 * target_deg are those of psog_samples_target. Returns PSOG_ERR_RANGE when there was none. */
enum psog_error psog_samples_forget(struct psog_samples *samples, const float target_deg[2]);

/* What a calibration finds; buffers of the caller. */
struct psog_user {
    float *rows;     /* PSOG_ROWS_FLOATS(features) */
    float *numbers;  /* model->numbers */
    int32_t *biases; /* model->biases; may lie where the samples do: written last */
};

/* How good a calibration is; degrees, rms. */
struct psog_fit {
    uint32_t samples;         /* readings of all targets */
    uint32_t targets;         /* that were used */
    float before_deg;         /* on these, by the population's network and head */
    float after_deg;          /* on the kept ones, by the user's */
    float left_out_deg;       /* on those of each target by rows fitted without it: over the targets */
    float left_out_worst_deg; /* the same of the worst target */
    float in_use_deg;         /* on the kept ones, by what was in use */
    float unexplained;        /* share of the targets' variance that left-out gaze leaves, worse axis */
};

/* When a calibration is better; docs/calibration.md, When a calibration is refused, has where from. */
#define PSOG_MOST_UNEXPLAINED 0.1f /* of a wearer who looks at the targets */
#define PSOG_BETTER_SHARE 0.9f     /* of the error of what is in use */
#define PSOG_ONE_TARGET_DEG 5.0f   /* a calibration that is nearer to a single target outlives it */

/* Whether a calibration may take the place of what is in use: it would have been nearer to targets that it
 * has not seen, and it follows the targets on both axes. A single target tells neither: its calibration takes
 * the place of none, or of one that is far off at this target. Otherwise PSOG_ERR_NOT_BETTER.
 * calibrated: a user's calibration is in use. */
enum psog_error psog_fit_verdict(const struct psog_fit *fit, bool calibrated);

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

/* ---- Standardisation: this headset's sensors seen as bright as those of the training ---------------- */

/* What is measured of a wearer who looks around. */
struct psog_wear {
    uint16_t sensors;
    uint16_t wanted, added;          /* readings */
    uint32_t sums[PSOG_MAX_SENSORS]; /* 65,535 times 65,535 is below 2^32 */
    uint16_t least[PSOG_MAX_SENSORS], most[PSOG_MAX_SENSORS];
};

void psog_wear_begin(struct psog_wear *wear, uint16_t sensors, uint16_t wanted);

/* Adds a reading, unless all are in. */
void psog_wear_add(struct psog_wear *wear, const uint16_t *readings);

/* The mean of a sensor, rounded, at least 1; or 0 when it has not changed, or nothing was measured. */
uint16_t psog_wear_mean(const struct psog_wear *wear, uint32_t sensor);

#define PSOG_NORMALISATION_BYTES(sensors) (8u * (sensors)) /* { i32 offset, i32 multiplier } each */
#define PSOG_MOST_GAIN 4u /* either way; a sensor that is further off is covered or broken */

/* The normalisation that sees readings with these means as the model's own sees readings with the means of
 * its training; what is 0 in one of the two stays as the model has it. means, trained: model->sensors each.
 * normalisation: PSOG_NORMALISATION_BYTES(model->sensors). Returns its shift. */
uint8_t psog_standardise(const struct psog_model *model, const uint16_t *means, const uint16_t *trained,
                         uint8_t *normalisation);

/* Uses a normalisation that was found so, or the model's own for NULL. It must stay where it is, at a
 * multiple of 4 in memory. */
void psog_model_normalise_by(struct psog_model *model, const uint8_t *normalisation, uint8_t shift);

/* Whether another normalisation is in use than the model's own. */
bool psog_model_is_standardised(const struct psog_model *model);

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

#include "storage.h"

#endif
