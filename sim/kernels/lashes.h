/* The upper lashes: a curtain before the eye, thinning out evenly from the root to nothing at the tip, that takes some
 * of the light that crosses it. */
#ifndef PSOG_SIM_LASHES_H
#define PSOG_SIM_LASHES_H

#include "optics.h"

/* Where the lashes above one column of the eye leave the lid. */
struct root {
    float y, z;
};

static inline struct root lash_root(const struct eye *eye, const struct look *now, float x)
{
    float y = between_lids(eye, now, x).high;
    return (struct root){y, skin_height(eye, x, y).z};
}

/* Share of the light that passes between (y, z) on the eye and a part. */
static inline float past_lashes(const struct eye *eye, struct root root, float y, float z, float part_y, float part_z)
{
    const float reach = sqrtf(1 - LASH_RISE * LASH_RISE);
    float slope = (part_y - y) / (part_z - z);
    float steeper = slope * reach - LASH_RISE;
    float crossing = (root.y - y - slope * (root.z - z)) / fmaxf(steeper * eye->lash_length, 1e-6f);
    float taken = eye->lash_density * clamp01(1 - crossing);
    return steeper > 0 ? 1 - taken : 1;
}

/* values[s] *= what lashes let pass from emitter s to (y, z) on the eye and on to detector s. */
static inline void dim(const struct eye *eye, struct root root, const struct sensors *sensors, float y, float z,
                       float *restrict values)
{
    const float *restrict dy = sensors->table + (DETECTOR + 1) * ACROSS, *restrict dz = dy + ACROSS;
    const float *restrict ey = sensors->table + (EMITTER + 1) * ACROSS, *restrict ez = ey + ACROSS;
    if (eye->lash_density == 0)
        return;
    for (int s = 0; s < ACROSS; s++)
        values[s] *= past_lashes(eye, root, y, z, dy[s], dz[s]) * past_lashes(eye, root, y, z, ey[s], ez[s]);
}

#endif
