#include "stillness.h"

#include <string.h>

#include "bytes.h"

#define HALF_BINS ((PSOG_STILL_BINS + 1u) / 2u)
#define MOST_DRIFT ((int32_t)HALF_BINS * PSOG_STILL_DRIFT_STEPS) /* between sums over the bins of a half */

/* A finite angle in whole steps, the fraction cut off. */
static int32_t in_steps(float gaze_deg)
{
    if (gaze_deg > PSOG_STILL_FARTHEST_DEG)
        gaze_deg = PSOG_STILL_FARTHEST_DEG;
    if (gaze_deg < -PSOG_STILL_FARTHEST_DEG)
        gaze_deg = -PSOG_STILL_FARTHEST_DEG;
    return (int32_t)(gaze_deg * PSOG_STILL_STEPS_PER_DEG);
}

/* The bin's mean joins those that have ended. The drift is told anew: it is what every reading asks for. */
static void end_bin(struct stillness *still, const int16_t mean[2])
{
    memmove(still->ended[1], still->ended[0], sizeof still->ended - sizeof still->ended[0]);
    memcpy(still->ended[0], mean, sizeof still->ended[0]);
    still->drift[0] = still->drift[1] = 0;
    for (uint32_t i = 0; i < PSOG_STILL_BINS; i++) {
        bool newer = i + 1u < HALF_BINS;
        still->drift[0] += newer ? still->ended[i][0] : -still->ended[i][0];
        still->drift[1] += newer ? still->ended[i][1] : -still->ended[i][1];
    }
    if (still->bins < PSOG_STILL_BINS)
        still->bins++;
}

/* Ends the bins that are over; one without readings has the mean of the one before. */
static void pass(struct stillness *still, uint32_t passed_us)
{
    still->since_us += passed_us;
    if (still->since_us < PSOG_STILL_BIN_US)
        return;
    const int16_t mean[] = {(int16_t)(still->sums[0] / still->count),
                            (int16_t)(still->sums[1] / still->count)};
    for (; still->since_us >= PSOG_STILL_BIN_US; still->since_us -= PSOG_STILL_BIN_US)
        end_bin(still, mean);
    still->sums[0] = still->sums[1] = 0;
    still->count = 0;
}

static void add(struct stillness *still, const float gaze_deg[2])
{
    if (still->count == UINT16_MAX)
        return;
    still->sums[0] += in_steps(gaze_deg[0]);
    still->sums[1] += in_steps(gaze_deg[1]);
    still->count++;
}

bool stillness_rests(struct stillness *still, uint64_t t_us, const float gaze_deg[2], bool is_open)
{
    if (!is_open || !psog_is_finite(gaze_deg[0]) || !psog_is_finite(gaze_deg[1])) {
        still->count = 0;
        return false;
    }
    uint64_t passed_us = t_us - still->t_us; /* a clock that goes back passes for a long time */
    if (still->count == 0 || passed_us > PSOG_STILL_GAP_US)
        *still = (struct stillness){0};
    else
        pass(still, (uint32_t)passed_us);
    still->t_us = t_us;
    add(still, gaze_deg);
    if (still->bins < PSOG_STILL_BINS)
        return false;
    int64_t right = still->drift[0] + still->sums[0] / still->count;
    int64_t up = still->drift[1] + still->sums[1] / still->count;
    return right * right + up * up < MOST_DRIFT * MOST_DRIFT;
}
