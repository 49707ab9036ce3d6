/* A kept sample of a calibration. */
#ifndef PSOG_SAMPLES_H
#define PSOG_SAMPLES_H

#include "psog.h"

struct psog_sample {
    float target_deg[PSOG_GAZE_OUTPUTS];
    const int8_t *inputs;
};

/* Sample `index`, below samples->count. */
struct psog_sample psog_sample(const struct psog_samples *samples, uint32_t index);

#endif
