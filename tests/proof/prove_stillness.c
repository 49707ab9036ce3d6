/* Any state that readings can leave behind, and any next reading: no operation is undefined, and the state is
 * again such a one. Taken for granted: sums are of `count` readings, each at most FARTHEST steps, and gaze that
 * is not a number has been turned away (Eva does not see that from its bits). */
#include <float.h>

#include "__fc_builtin.h"
#include "stillness.h"

#define FARTHEST ((int32_t)(PSOG_STILL_FARTHEST_DEG * PSOG_STILL_STEPS_PER_DEG))
#define MOST_SUM (65534 * FARTHEST) /* of a bin that takes one more reading */

static void prove_from(uint16_t least, uint16_t most, int32_t most_sum)
{
    struct stillness still;
    Frama_C_make_unknown((char *)&still, sizeof still);
    still.count = (uint16_t)Frama_C_interval(least, most);
    still.since_us = Frama_C_unsigned_int_interval(0, PSOG_STILL_BIN_US - 1);
    still.bins = (uint16_t)Frama_C_interval(0, PSOG_STILL_BINS);
    for (int axis = 0; axis < 2; axis++) {
        still.sums[axis] = Frama_C_interval(-most_sum, most_sum);
        still.drift[axis] = Frama_C_interval(-PSOG_STILL_BINS * 32768, PSOG_STILL_BINS * 32768);
    }
    uint64_t t_us = still.t_us + Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
    const float gaze_deg[2] = {Frama_C_float_interval(-FLT_MAX, FLT_MAX),
                               Frama_C_float_interval(-FLT_MAX, FLT_MAX)};
    (void)stillness_rests(&still, t_us, gaze_deg, Frama_C_interval(0, 1) != 0);
    //@ assert still.since_us < PSOG_STILL_BIN_US;
    //@ assert still.bins <= PSOG_STILL_BINS;
    //@ assert -PSOG_STILL_BINS * 32768 <= still.drift[0] <= PSOG_STILL_BINS * 32768;
    //@ assert -PSOG_STILL_BINS * 32768 <= still.drift[1] <= PSOG_STILL_BINS * 32768;
    //@ assert -MOST_SUM - FARTHEST <= still.sums[0] <= MOST_SUM + FARTHEST;
    //@ assert -MOST_SUM - FARTHEST <= still.sums[1] <= MOST_SUM + FARTHEST;
}

void prove(void)
{
    prove_from(0, 65534, MOST_SUM);
    prove_from(65535, 65535, MOST_SUM + FARTHEST);
}
