#include "lids.h"

#include "bytes.h"
#include "protocol.h"

/* value comes nearer to target, with a time constant. */
static float follow(float value, float target, float passed_us, float constant_us)
{
    float share = passed_us / constant_us;
    return value + (target - value) * (share < 1.0f ? share : 1.0f);
}

bool lids_open(struct lids *lids, uint64_t t_us, float openness)
{
    if (!psog_is_finite(openness))
        return false;
    if (!lids->begun)
        *lids = (struct lids){true, openness, openness, t_us};
    float passed_us = (float)(t_us - lids->t_us); /* a clock that goes back passes for a long time */
    lids->t_us = t_us;
    lids->smooth = follow(lids->smooth, openness, passed_us, PSOG_LIDS_SMOOTH_US);
    lids->level = follow(lids->level, lids->smooth, passed_us,
                         lids->smooth > lids->level ? PSOG_LIDS_RISE_US : PSOG_LIDS_FALL_US);
    return lids->smooth >= PSOG_LIDS_FLOOR && lids->smooth >= PSOG_LIDS_SHARE * lids->level &&
           openness >= PSOG_LIDS_FLOOR && openness >= PSOG_LIDS_SINGLE_SHARE * lids->level;
}
