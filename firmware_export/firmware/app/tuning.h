/* A calibration in progress: targets, the readings that belong to them, and the trial head. */
#ifndef TUNING_H
#define TUNING_H

#include "psog.h"

/* A plane needs three points; fewer targets say nothing about one of the axes. */
#define TUNING_MIN_TARGETS 3u

enum tuning_phase {
    TUNING_NONE,
    TUNING_READY,  /* begun, between targets */
    TUNING_TARGET, /* adding a target's readings */
    TUNING_TRIAL,  /* solved: there is a trial head */
};

struct tuning {
    enum tuning_phase phase;
    struct psog_tune tune;
    struct psog_fit fit;
    float target_deg[PSOG_GAZE_OUTPUTS];
    uint16_t targets; /* with at least one reading */
    uint16_t wanted;
    uint16_t added;
    uint16_t rejected;
    float head[PSOG_MAX_HEAD_FLOATS]; /* the trial head */
    float work[PSOG_MAX_TUNE_FLOATS];
};

enum psog_error tuning_begin(struct tuning *tuning, const struct psog_model *model);

/* The next `samples` readings with an open eye belong to this target. */
enum psog_error tuning_target(struct tuning *tuning, const float target_deg[2], uint16_t samples);

/* A reading's features. True when it was the target's last: all are in, or so many were passed over that
 * the wearer is not looking. */
bool tuning_reading(struct tuning *tuning, const int8_t *features, float openness);

enum psog_error tuning_solve(struct tuning *tuning);

void tuning_discard(struct tuning *tuning);

#endif
