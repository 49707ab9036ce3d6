#include "lids.h"

#include "bytes.h"
#include "protocol.h"

bool lids_open(struct lids *lids, uint64_t t_us, float openness)
{
    if (!psog_is_finite(openness))
        return false;
    float constant_us = openness > lids->level ? PSOG_LIDS_RISE_US : PSOG_LIDS_FALL_US;
    float share = (float)(t_us - lids->t_us) / constant_us;
    lids->level += (openness - lids->level) * (share < 1.0f ? share : 1.0f);
    lids->t_us = t_us;
    return openness >= PSOG_LIDS_FLOOR && openness >= PSOG_LIDS_SHARE * lids->level;
}
