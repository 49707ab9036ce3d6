/* The surfaces as height fields over the frontal plane. The constants come from psog.sim.anatomy. */
#ifndef PSOG_SIM_SURFACES_H
#define PSOG_SIM_SURFACES_H

#include <math.h>

#include "anatomy.h"
#include "scene.h"

struct height {
    float z, x, y; /* height, dz/dx, dz/dy */
};

static inline float clamp01(float value)
{
    return fminf(fmaxf(value, 0), 1);
}

/* 1 inside an edge, 0 outside, linear over `blur`. */
static inline float fade(float inside, float blur)
{
    return clamp01(0.5f + inside / blur);
}

/* A sphere, continued by a tangent cone beyond the fornix. */
static inline struct height sphere_height(float radius, float x, float y)
{
    const float slope = FORNIX / sqrtf(1 - FORNIX * FORNIX);
    float r = fmaxf(sqrtf(x * x + y * y), 1e-6f);
    float edge = FORNIX * radius;
    if (r < edge) {
        float z = sqrtf(radius * radius - r * r);
        return (struct height){z, -x / z, -y / z};
    }
    float z = radius * radius / sqrtf(radius * radius - edge * edge) - slope * r;
    return (struct height){z, -slope * x / r, -slope * y / r};
}

/* A round bump of height 1 at the origin. */
static inline struct height bump(float x, float y)
{
    const float per2 = 1 / (RELIEF_WIDTH_MM * RELIEF_WIDTH_MM);
    float inverse = 1 / (1 + (x * x + y * y) * per2);
    float steep = -4 * per2 * inverse * inverse * inverse;
    return (struct height){inverse * inverse, steep * x, steep * y};
}

/* How deep the skin is folded in above the upper lid, along a parabola that ends above the canthi. */
static inline struct height crease(const struct eye *eye, float x, float y)
{
    float per2 = 1 / (eye->fissure_half * eye->fissure_half), bend = eye->crease_y * per2;
    float between = fmaxf(1 - x * x * per2, 0), depth = eye->crease_depth * between * between;
    float away = (y - eye->crease_y + bend * x * x) / CREASE_WIDTH_MM;
    float inverse = 1 / (1 + away * away), bell = inverse * inverse;
    float steep = -4 * depth / CREASE_WIDTH_MM * away * inverse * bell;
    float fading = -4 * eye->crease_depth * between * x * per2 * bell;
    return (struct height){depth * bell, steep * bend * 2 * x + fading, steep};
}

/* Lids and face: the smooth maximum of the lid shell and the face plane, with relief. */
static inline struct height skin_height(const struct eye *eye, float x, float y)
{
    struct height shell = sphere_height(eye->radius + LID_THICKNESS_MM, x, y);
    float face = FACE_HEIGHT_MM + eye->tilt_x * x + eye->tilt_y * y;
    float above = shell.z - face;
    float smooth = sqrtf(above * above + FACE_BLEND_MM * FACE_BLEND_MM);
    float share = 0.5f * (1 + above / smooth);
    struct height out = {
        0.5f * (shell.z + face + smooth),
        share * shell.x + (1 - share) * eye->tilt_x,
        share * shell.y + (1 - share) * eye->tilt_y,
    };
    if (eye->relief != 0) {
        struct height up = bump(x - eye->bump_x, y - eye->bump_y);
        struct height down = bump(x - eye->hollow_x, y - eye->hollow_y);
        out.z += eye->relief * (up.z - down.z);
        out.x += eye->relief * (up.x - down.x);
        out.y += eye->relief * (up.y - down.y);
    }
    if (eye->crease_depth != 0) {
        struct height fold = crease(eye, x, y);
        out.z -= fold.z;
        out.x -= fold.x;
        out.y -= fold.y;
    }
    return out;
}

static inline float bell(float x)
{
    float inverse = 1 / (1 + x * x);
    return inverse * inverse;
}

/* Share of its surroundings that a point of the skin sees filled with skin, at distance r from the optical axis: most
 * in the crease where the lid meets the face. */
static inline float seen_skin(const struct eye *eye, float x, float y)
{
    float r = sqrtf(x * x + y * y) * NOMINAL_SHELL_MM / (eye->radius + LID_THICKNESS_MM);
    return SEEN_CREASE * bell((r - SEEN_CREASE_AT_MM) / SEEN_CREASE_WIDTH_MM) +
           SEEN_FACE * bell((r - SEEN_FACE_AT_MM) / SEEN_FACE_WIDTH_MM);
}

/* Reflectances with the light that comes by way of the skin: one more bounce, fitted to path-traced readings. */
static inline float lit_by_skin(const struct eye *eye)
{
    return 1 + BOUNCE_ON_EYE * eye->bounce;
}

struct interval {
    float low, high;
};

/* Ends in y of the open eye at x; high <= low where it is covered. */
static inline struct interval between_lids(const struct eye *eye, const struct look *now, float x)
{
    float parabola = fmaxf(1 - x * x / (eye->fissure_half * eye->fissure_half), 0);
    return (struct interval){-now->lower * parabola, now->upper * parabola};
}

/* z of the image of the iris plane. */
static inline float iris_height(const struct eye *eye, const struct look *now, float x, float y)
{
    return (eye->iris_depth - x * now->x - y * now->y) / now->z;
}

/* Distance from the optical axis in the plane that faces it at `depth`. */
static inline float from_axis(const struct look *now, float depth, float x, float y)
{
    float dx = x - depth * now->x, dy = y - depth * now->y;
    float along = (dx * now->x + dy * now->y) / now->z;
    return sqrtf(dx * dx + dy * dy + along * along);
}

#endif
