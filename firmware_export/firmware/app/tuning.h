/* A calibration in progress: targets, the readings that belong to them, and the trial: a head, and biases
 * where the model has a user embedding. */
#ifndef TUNING_H
#define TUNING_H

#include "psog.h"

/* A plane needs three points; fewer targets say nothing about one of the axes. */
#define TUNING_MIN_TARGETS 3u

#define TUNING_SAMPLES 36u /* 9 targets; with fewer sensors than the most, more fit into the same bytes */

/* What is known of a user. */
struct user {
    float head[PSOG_MAX_HEAD_FLOATS];
    float numbers[PSOG_MAX_NUMBERS]; /* these two only for a model with a user embedding */
    int32_t biases[PSOG_MAX_BIASES];
};

enum tuning_phase {
    TUNING_NONE,
    TUNING_READY,  /* begun, between targets */
    TUNING_TARGET, /* adding a target's readings */
    TUNING_TRIAL,  /* solved: there is a trial */
};

struct tuning {
    enum tuning_phase phase;
    struct psog_tune tune;
    struct psog_samples samples; /* for a model with a user embedding */
    struct psog_fit fit;
    float target_deg[PSOG_GAZE_OUTPUTS];
    uint16_t targets; /* with at least one reading */
    uint16_t wanted;
    uint16_t added;
    uint16_t rejected;
    struct user user; /* the trial */
    float work[PSOG_MAX_TUNE_FLOATS];
    uint8_t sample_bytes[TUNING_SAMPLES * PSOG_SAMPLE_BYTES(PSOG_MAX_PLANES * PSOG_MAX_SENSORS)];
};

enum psog_error tuning_begin(struct tuning *tuning, const struct psog_model *model);

/* The next `samples` readings with an open eye belong to this target. */
enum psog_error tuning_target(struct tuning *tuning, const float target_deg[2], uint16_t samples);

/* A reading and its features by the population's network, while the phase is TUNING_TARGET. True when it was
 * the target's last: all are in, or so many were passed over that the wearer is not looking. */
bool tuning_reading(struct tuning *tuning, const uint16_t *readings, const int8_t *features, bool is_open);

/* activations: to see the samples again. */
enum psog_error tuning_solve(struct tuning *tuning, int8_t *activations, size_t activation_bytes);

void tuning_discard(struct tuning *tuning);

#endif
