/* A calibration in progress: targets, the readings that belong to them, and the trial. */
#ifndef TUNING_H
#define TUNING_H

#include "psog.h"

#define TUNING_TARGETS 9u /* of the largest model; 32 of 32 features and 16 sensors with two planes */

enum tuning_phase {
    TUNING_NONE,
    TUNING_READY,     /* begun, between targets */
    TUNING_TARGET,    /* adding a target's readings */
    TUNING_TRIAL,     /* solved: there is a trial */
    TUNING_RECEIVING, /* none in progress, but one comes from the host, piece by piece */
    TUNING_WEAR,      /* none in progress: the sensors are measured for a standardisation */
};

/* For a standardisation: what is measured, and room for what comes of it. */
struct tuning_standard {
    struct psog_wear wear;
    uint8_t normalisation[PSOG_NORMALISATION_BYTES(PSOG_MAX_SENSORS)];
};

struct tuning {
    enum tuning_phase phase;
    struct psog_samples samples;
    struct psog_fit fit;
    uint16_t rejected, saturated, moving; /* readings of this target that were passed over */
    uint16_t received;                      /* bytes of a calibration that comes from the host */
    float trial_rows[PSOG_ROWS_FLOATS(PSOG_MAX_FEATURES)];
    float trial_numbers[PSOG_MAX_NUMBERS]; /* these and the biases only for a model with a user embedding */
    union {
        uint8_t samples[TUNING_TARGETS * PSOG_MAX_TARGET_BYTES]; /* until it is solved */
        int32_t biases[PSOG_MAX_BIASES];                         /* of the trial */
        uint8_t record[PSOG_CALIBRATION_BYTES];                  /* that comes from the host */
        struct tuning_standard standard;
    } kept;
};

void tuning_begin(struct tuning *tuning, const struct psog_model *model);

/* The next `samples` readings with an open eye at rest belong to this target. */
enum psog_error tuning_target(struct tuning *tuning, const float target_deg[2], uint16_t samples);

/* Forgets the target at this place, also while it is taken, so that it can be taken again. PSOG_ERR_STATE
 * without a calibration or once it is solved, PSOG_ERR_RANGE when there is none at this place. */
enum psog_error tuning_forget(struct tuning *tuning, const float target_deg[2]);

/* One reading while the phase is TUNING_TARGET. */
struct tuning_seen {
    const uint16_t *readings;
    const int8_t *features;  /* by the population's network, whoever used the headset before */
    const float *in_use_deg; /* gaze by what is in use */
    bool is_open;            /* the lids are */
    bool is_still;           /* and the eye rests (stillness.h) */
    bool saturates;          /* too much light to tell (light.h) */
};

/* True when it was the target's last: all are in, or so many were passed over that nobody is looking. */
bool tuning_reading(struct tuning *tuning, const struct tuning_seen *seen);

/* work: psog_work_bytes of the model. */
enum psog_error tuning_solve(struct tuning *tuning, void *work, size_t work_bytes);

/* Whether the trial may be used from now on: PSOG_ERR_STATE without one, or PSOG_ERR_NOT_BETTER. */
enum psog_error tuning_verdict(const struct tuning *tuning, bool calibrated);

/* Whether no calibration is in progress, other than one that comes from the host. */
bool tuning_can_receive(const struct tuning *tuning);

/* A piece of a record of so many bytes in all, for tuning->kept.record: at 0, or where the last piece ended.
 * Returns PSOG_ERR_RANGE for any other place or size. */
enum psog_error tuning_receive(struct tuning *tuning, uint32_t offset, uint32_t total, const uint8_t *bytes,
                               uint32_t count);

/* The next readings are measured for a standardisation: so many of them. */
void tuning_wear_begin(struct tuning *tuning, const struct psog_model *model, uint16_t readings);

/* One reading while the phase is TUNING_WEAR; it is passed over and counted where it saturates. */
void tuning_wear(struct tuning *tuning, const uint16_t *readings, bool saturates);

/* Forgets everything of this wearer. */
void tuning_discard(struct tuning *tuning);

#endif
