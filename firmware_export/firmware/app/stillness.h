/* Whether the eye rests: the mean gaze of the two halves of the last 100 ms, less than half a degree apart.
 * psog/device/stillness.py is the same in Python, and says why; docs/SPEC.md has the rule. */
#ifndef STILLNESS_H
#define STILLNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

/* Zeroed at the start. Gaze is in steps of a hundredth of a degree, right and up. */
struct stillness {
    uint64_t t_us;                       /* of the last reading of an open eye */
    uint32_t since_us;                   /* from the beginning of the bin under way until then */
    int32_t sums[2];                     /* of the readings of the bin under way */
    int32_t drift[2];                    /* newer half less older half, without the bin under way */
    int16_t ended[PSOG_STILL_BINS][2];   /* means of the bins before, newest first */
    uint16_t count;                      /* of the readings of the bin under way; 0: the eye was not open */
    uint16_t bins;                       /* that have ended since it opened, at most PSOG_STILL_BINS */
};

/* Takes the next reading's gaze. t_us: device time; gaze_deg: by what is in use, anything; is_open: the lids
 * are, and the reading does not saturate. */
bool stillness_rests(struct stillness *still, uint64_t t_us, const float gaze_deg[2], bool is_open);

#endif
