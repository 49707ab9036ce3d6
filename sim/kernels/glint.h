/* The glints: each emitter's mirror images in the cornea and, where there is a tear film, in the wet sclera. */
#ifndef PSOG_SIM_GLINT_H
#define PSOG_SIM_GLINT_H

#include "optics.h"

enum { HALF_VECTOR_STEPS = 4 };

struct vector {
    float x, y, z;
};

struct mirror {
    struct vector centre;
    float radius;
    float border; /* cosine between optical axis and normal at the limbus */
    float inside; /* +1 where the mirror ends at the limbus, -1 where it begins there */
    float index;  /* of refraction */
};

/* Share of unpolarised light that a surface reflects at an angle of incidence. Source: Fresnel's equations. */
static inline float fresnel(float index, float cosine)
{
    float inside = sqrtf(1 - (1 - cosine * cosine) / (index * index));
    float across = (cosine - index * inside) / (cosine + index * inside);
    float along = (inside - index * cosine) / (inside + index * cosine);
    return 0.5f * (across * across + along * along);
}

/* sums[s] += what detector s receives from emitter s + step by way of a spherical mirror (1/mm²).
 *
 * The reflection point is found by fixed-point steps of the half vector, each of which leaves a third of the error; the
 * reflected beam spreads as that of a convex mirror does in its two principal planes. Source: Coddington's equations. */
static void add_mirror(const struct eye *eye, const struct look *now, const struct sensors *sensors,
                       const struct mirror *mirror, int step, const float *restrict share, float *restrict sums)
{
;
    const float *restrict d = sensors->table; /* detectors come first */
    const float radius = mirror->radius;
    const struct vector c = mirror->centre;
    float e[6 * ACROSS], gain[ACROSS], values[ACROSS], off_d[ACROSS], off_e[ACROSS];
    float qx[ACROSS], qy[ACROSS], qz[ACROSS];
    for (int s = 0; s < ACROSS; s++) {
        int t = step == 0 ? s : (s + step) % sensors->count;
        for (int row = 0; row < 6; row++)
            e[row * ACROSS + s] = sensors->table[(EMITTER + row) * ACROSS + t];
        gain[s] = sensors->table[EMITTER_GAIN * ACROSS + t] * sensors->table[DETECTOR_GAIN * ACROSS + s];
    }
    for (int s = 0; s < ACROSS; s++) {
        qx[s] = now->x;
        qy[s] = now->y;
        qz[s] = now->z;
    }
    for (int k = 0; k < HALF_VECTOR_STEPS; k++) {
        for (int s = 0; s < ACROSS; s++) {
            float px = c.x + radius * qx[s], py = c.y + radius * qy[s], pz = c.z + radius * qz[s];
            float vx = d[s] - px, vy = d[ACROSS + s] - py, vz = d[2 * ACROSS + s] - pz;
            float wx = e[s] - px, wy = e[ACROSS + s] - py, wz = e[2 * ACROSS + s] - pz;
            float iv = 1 / sqrtf(vx * vx + vy * vy + vz * vz), iw = 1 / sqrtf(wx * wx + wy * wy + wz * wz);
            float hx = vx * iv + wx * iw, hy = vy * iv + wy * iw, hz = vz * iv + wz * iw;
            float inverse = 1 / sqrtf(hx * hx + hy * hy + hz * hz);
            qx[s] = hx * inverse;
            qy[s] = hy * inverse;
            qz[s] = hz * inverse;
        }
    }
    for (int s = 0; s < ACROSS; s++) {
        float px = c.x + radius * qx[s], py = c.y + radius * qy[s], pz = c.z + radius * qz[s];
        float vx = d[s] - px, vy = d[ACROSS + s] - py, vz = d[2 * ACROSS + s] - pz;
        float wx = e[s] - px, wy = e[ACROSS + s] - py, wz = e[2 * ACROSS + s] - pz;
        float iv = 1 / sqrtf(vx * vx + vy * vy + vz * vz), iw = 1 / sqrtf(wx * wx + wy * wy + wz * wz);
        float far = 1 / iv, near = 1 / iw;
        float cosine = fmaxf((vx * qx[s] + vy * qy[s] + vz * qz[s]) * iv, 0.05f);
        float spread = (far + near + 2 * far * near / (radius * cosine)) *
                       (far + near + 2 * far * near * cosine / radius);
        off_d[s] = fmaxf(-(d[3 * ACROSS + s] * vx + d[4 * ACROSS + s] * vy + d[5 * ACROSS + s] * vz) * iv, 0);
        off_e[s] = fmaxf(-(e[3 * ACROSS + s] * wx + e[4 * ACROSS + s] * wy + e[5 * ACROSS + s] * wz) * iw, 0);
        float parabola = fmaxf(1 - px * px / (eye->fissure_half * eye->fissure_half), 0);
        float low = -now->lower * parabola, high = now->upper * parabola;
        float along = qx[s] * now->x + qy[s] * now->y + qz[s] * now->z;
        float seen = fade((along - mirror->border) * radius * mirror->inside, GLINT_LIMBUS_BLUR_MM) *
                     fade(high - py, GLINT_LID_BLUR_MM) * fade(py - low, GLINT_LID_BLUR_MM) *
                     clamp01((high - low) / GLINT_LID_BLUR_MM); /* a shut lid has no edges to see between */
        float value = share[s] * seen * fresnel(mirror->index, cosine) * gain[s] / spread;
        values[s] = fminf(off_d[s], off_e[s]) > 0 ? value : 0;
        off_d[s] *= off_d[s];
        off_e[s] *= off_e[s];
    }
    multiply_by_lobe(&sensors->detector, ACROSS, values, off_d);
    multiply_by_lobe(&sensors->emitter, ACROSS, values, off_e);
    for (int s = 0; s < ACROSS; s++)
        sums[s] += values[s];
}

/* The glints of all emitters that each detector sees. */
static void add_glints(const struct eye *eye, const struct look *now, const struct sensors *sensors, int tear_film,
                       float *restrict sums)
{
    float depth = eye->cornea_centre;
    struct mirror cornea = {
        {depth * now->x, depth * now->y, depth * now->z},
        eye->cornea_radius, (eye->limbus_depth - depth) / eye->cornea_radius, 1,
        tear_film ? TEAR_INDEX : CORNEA_INDEX,
    };
    struct mirror sclera = {{0, 0, 0}, eye->radius, eye->limbus_depth / eye->radius, -1, TEAR_INDEX};
    for (int k = 0; k < sensors->neighbours; k++) {
        const float *share = sensors->mixing + k * ACROSS;
        add_mirror(eye, now, sensors, &cornea, sensors->step[k], share, sums);
        if (tear_film)
            add_mirror(eye, now, sensors, &sclera, sensors->step[k], share, sums);
    }
}

#endif
