/* What the kernels are told, as psog/sim/native.py lays it out. Single precision, millimetres, head axes unless a
 * comment says otherwise. Every innermost loop runs over sensors. Their number, rounded up so that it fills vector
 * registers, is a constant ACROSS: a headset of another size has another library. */
#ifndef PSOG_SIM_SCENE_H
#define PSOG_SIM_SCENE_H

#include <stdint.h>

/* cosⁿ as (cos²)^whole · (cos²)^rest, so that the common exponents need products only; or a table. */
struct lobe {
    int32_t whole;
    float rest;         /* 0 for even n, 0.5 for odd n, anything below 1 for other exponents */
    int32_t steps;      /* of the table; 0 where there is an exponent */
    const float *table; /* (steps + 1): response at even steps of the cosine from 0 to 1 */
};

/* Rows of struct sensors.table. The gains are what a spectacle lens makes of a part's response. */
enum { DETECTOR = 0, DETECTOR_AIM = 3, EMITTER = 6, EMITTER_AIM = 9, DETECTOR_GAIN = 12, EMITTER_GAIN = 13, ROWS = 14 };

struct sensors {
    int32_t count;
    const float *table; /* (ROWS, ACROSS), what is rounded up repeats the last sensor: position and aim (unit vector) of detectors and emitters, gains */
    struct lobe detector, emitter;
    int32_t neighbours;   /* how many emitters a reading sees */
    const int32_t *step;  /* (neighbours): reading s sees emitter s + step, counted round */
    const float *mixing;  /* (neighbours, ACROSS): and this much of it */
};

/* Abscissae and weights. Those of columns lie in -1..1. */
struct line {
    int32_t count;
    const float *x, *weight;
};

struct nodes {
    struct line aperture, aperture_points; /* columns through the open eye; points on each without tables */
    struct line limbus, limbus_points, pupil, pupil_points;
    struct line edge;    /* along a lid margin */
    struct line rings;   /* radii (mm) on the skin; their weights include r */
    struct line spokes;  /* cosines, and sines in place of weights */
    struct line columns; /* through the sclera, evenly spaced (mm); no weights */
    int32_t rows;        /* that a column is cut into */
    float row_limit, column_limit; /* tables span ±these (mm) */
};

struct scene {
    struct sensors sensors;
    struct nodes nodes;
    int32_t lid_margin, tear_film; /* effects */
    int32_t tables;                /* make tables for each pose */
};

/* One user: a row of psog.sim.surfaces.eye_shapes. */
struct eye {
    float radius, cornea_radius;
    float cornea_centre, limbus_depth, iris_depth; /* along the optical axis; the last of the refracted image */
    float limbus_radius;
    float pupil_scale; /* radius of the refracted image over diameter of the pupil */
    float fissure_half;
    float sclera, iris, pupil, skin; /* reflectance; iris and pupil of their refracted image */
    float tilt_x, tilt_y;            /* slope of the face plane */
    float relief, bump_x, bump_y, hollow_x, hollow_y;
    float crease_y, crease_depth; /* above the rotation centre, at the middle of the fissure */
    float lash_density, lash_length;
    float lens_power; /* 1/mm; 0 without spectacles */
    float bounce;     /* reflectance of skin as a source of light for its surroundings; 0 leaves that light out */
};

/* One instant: a row of psog.sim.state.eye_states. */
struct look {
    float x, y, z; /* optical axis */
    float pupil;   /* diameter */
    float upper, lower;
};

struct pose {
    float x, y, z, roll; /* of the headset, in its own axes; radians, x turns towards y */
};

#endif
