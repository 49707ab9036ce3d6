/* The lid margin: an edge with a height, seen and lit itself, and hiding what lies behind it.
 *
 * The edge of a lid stands some millimetres before the eye. A part above the upper edge does not see the strip of eye
 * just below it, and its light does not get there; a part below sees the edge itself, a wall of skin. Per sample the
 * walls are added, and what the strips would have reflected is taken away again, for each sensor a strip as wide as
 * its own detector or emitter makes it. */
#ifndef PSOG_SIM_LID_EDGE_H
#define PSOG_SIM_LID_EDGE_H

#include "lashes.h"

/* Strips are looked at this far from the edge, in heights of the edge above what it hides. They change from sclera to
 * iris and from iris to pupil over blurs that are as wide as they are. */
#define INTO_STRIP 0.4f
#define LIMBUS_BLUR_MM 1.0f
#define PUPIL_BLUR_MM 0.6f

/* One place on the edge of one lid. */
struct edge {
    float x, y, z;
    float side;    /* +1 upper, -1 lower */
    float slope;   /* dy/dx */
    float rise;    /* dz/dx */
    float opening; /* between the lids, there */
    float width;   /* of the piece of edge it stands for, along x */
};

/* Height of eyeball or cornea, whichever is in front. */
static inline float eye_front(const struct eye *eye, const struct look *now, float x, float y, float in_limbus)
{
    float dx = x - eye->cornea_centre * now->x, dy = y - eye->cornea_centre * now->y;
    float below = fmaxf(eye->cornea_radius * eye->cornea_radius - dx * dx - dy * dy, 0);
    float cornea = eye->cornea_centre * now->z + sqrtf(below);
    float sclera = sphere_height(eye->radius, x, y).z;
    return sclera + in_limbus * fmaxf(cornea - sclera, 0);
}

/* The wall of an edge, of the given height. */
static struct patch wall(const struct eye *eye, const struct edge *edge, float height)
{
    float stretch = sqrtf(1 + edge->slope * edge->slope);
    float area = edge->width * stretch * height;
    return (struct patch){
        edge->x, edge->y, edge->z - 0.5f * height,
        edge->side * edge->slope / stretch, -edge->side / stretch, 0,
        area * eye->skin * lit_by_skin(eye) * PER_PI,
    };
}

/* How deep the straight line from a part over the edge of the other lid, `opening` away, meets this edge's wall. */
static inline float depth_seen(const struct edge *edge, float py, float pz)
{
    float below = edge->y - edge->side * edge->opening - py;
    return edge->opening * (pz - edge->z) / fmaxf(edge->side * below, 1e-3f);
}

/* sums += what an edge's wall gives; where the lids all but meet, each keeps light from the other's wall. */
static void add_wall(const struct eye *eye, const struct look *now, const struct sensors *sensors,
                     const struct edge *edge, struct root root, float in_limbus, float *restrict sums)
{
    const float *restrict dy = sensors->table + (DETECTOR + 1) * ACROSS, *restrict dz = dy + ACROSS;
    const float *restrict ey = sensors->table + (EMITTER + 1) * ACROSS, *restrict ez = ey + ACROSS;
    float values[ACROSS];
    float height = fmaxf(edge->z - eye_front(eye, now, edge->x, edge->y, in_limbus), 1e-3f);
    struct patch patch = wall(eye, edge, height);
    respond(sensors, 1, &patch, values);
    dim(eye, root, sensors, patch.y, patch.z, values);
    for (int s = 0; s < ACROSS; s++) {
        float seen = fminf(depth_seen(edge, dy[s], dz[s]), depth_seen(edge, ey[s], ez[s]));
        sums[s] += values[s] * fminf(seen / height, 1);
    }
}

/* How far behind an edge the straight line from a part over the edge meets the eye; negative in front.
 * `away` is the slope of the eye against that direction. The line crosses the edge beside the place it is for, where
 * the edge is higher or lower. */
static inline float behind(const struct edge *edge, float height, float away, float px, float py, float pz)
{
    float flat = 1 / (pz - edge->z), aside = (px - edge->x) * flat;
    float steep = edge->side * ((py - edge->y) * flat - edge->slope * aside);
    return height * steep / (fmaxf(1 - edge->rise * aside, 0.3f) * fmaxf(1 - away * steep, 0.5f));
}

/* sums -= what a strip behind an edge would have given, were it not hidden. `surface` is the eye there, per mm of
 * strip; `z` its height at the edge and `away` its slope; `left` what the other lid has left of the opening. */
static void hide(const struct eye *eye, const struct sensors *sensors, const struct edge *edge, struct root root,
                 struct patch surface, float z, float away, float *restrict left, float *restrict sums)
{
;
    const float *restrict d = sensors->table + DETECTOR * ACROSS, *restrict e = sensors->table + EMITTER * ACROSS;
    float values[ACROSS];
    float height = fmaxf(edge->z - z, 0);
    respond(sensors, 1, &surface, values);
    dim(eye, root, sensors, surface.y, surface.z, values);
    for (int s = 0; s < ACROSS; s++) {
        float hidden = fmaxf(behind(edge, height, away, d[s], d[ACROSS + s], d[2 * ACROSS + s]),
                             behind(edge, height, away, e[s], e[ACROSS + s], e[2 * ACROSS + s]));
        float width = fminf(fmaxf(hidden, 0), left[s]);
        left[s] -= width;
        sums[s] -= values[s] * width;
    }
}

/* Walls and strips of both lids. */
static void add_edges(const struct eye *eye, const struct look *now, const struct sensors *sensors,
                      const struct nodes *nodes, float *restrict sums)
{
    for (int k = 0; k < nodes->edge.count; k++) {
        float sclera_left[ACROSS], iris_left[ACROSS];
        float x = nodes->edge.x[k] * eye->fissure_half;
        struct interval open = between_lids(eye, now, x);
        if (open.high <= open.low)
            continue;
        for (int s = 0; s < ACROSS; s++)
            sclera_left[s] = iris_left[s] = open.high - open.low;
        struct root root = lash_root(eye, now, x);
        for (int side = 1; side >= -1; side -= 2) {
            float middle = side > 0 ? now->upper : -now->lower, y = side > 0 ? open.high : open.low;
            float slope = -2 * middle * x / (eye->fissure_half * eye->fissure_half);
            struct height skin = skin_height(eye, x, y);
            struct edge edge = {
                x, y, skin.z, (float)side, slope, skin.x + slope * skin.y,
                open.high - open.low, nodes->edge.weight[k] * eye->fissure_half,
            };
            float in_limbus = fade(eye->limbus_radius - from_axis(now, eye->limbus_depth, x, y), LIMBUS_BLUR_MM);
            add_wall(eye, now, sensors, &edge, root, in_limbus, sums);
            if (in_limbus < 1) {
                struct height at = sphere_height(eye->radius, x, y);
                float into = fminf(INTO_STRIP * fmaxf(edge.z - at.z, 0), 0.5f * edge.opening);
                struct patch strip = on_sclera(eye, x, y - edge.side * into, edge.width * (1 - in_limbus));
                hide(eye, sensors, &edge, root, strip, at.z, edge.side * at.y, sclera_left, sums);
            }
            if (in_limbus > 0) {
                float z = iris_height(eye, now, x, y);
                float into = fminf(INTO_STRIP * fmaxf(edge.z - z, 0), 0.5f * edge.opening);
                y -= edge.side * into;
                float from_pupil = now->pupil * eye->pupil_scale - from_axis(now, eye->iris_depth, x, y);
                float reflectance = eye->iris + fade(from_pupil, PUPIL_BLUR_MM) * (eye->pupil - eye->iris);
                struct patch strip = on_iris(eye, now, x, y, edge.width * in_limbus * reflectance);
                hide(eye, sensors, &edge, root, strip, z, -edge.side * now->y / now->z, iris_left, sums);
            }
        }
    }
}

#endif
