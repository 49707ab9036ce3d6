/* From lit patches to sensors: emitter → Lambertian patch → detector, with the lobes of the parts at both ends. */
#ifndef PSOG_SIM_OPTICS_H
#define PSOG_SIM_OPTICS_H

#include <string.h>

#include "surfaces.h"

#define PER_PI 0.31830988618f

enum { CHUNK = 32 }; /* patches that are worked on at a time: their values stay in the first-level cache */

struct patch {
    float x, y, z, nx, ny, nz;
    float scale; /* area × reflectance / π (mm²) */
};

/* A patch on a height field; `scale` is reflectance times the area of its shadow on the frontal plane. */
static inline struct patch on_height(float x, float y, struct height at, float scale)
{
    float stretch = sqrtf(1 + at.x * at.x + at.y * at.y);
    float upright = 1 / stretch;
    return (struct patch){x, y, at.z, -at.x * upright, -at.y * upright, upright, scale * stretch * PER_PI};
}

static inline struct patch on_sclera(const struct eye *eye, float x, float y, float area)
{
    return on_height(x, y, sphere_height(eye->radius, x, y), area * eye->sclera);
}

static inline struct patch on_skin(const struct eye *eye, float x, float y, float area)
{
    float more = 1 + BOUNCE_ON_SKIN * eye->bounce * seen_skin(eye, x, y);
    return on_height(x, y, skin_height(eye, x, y), area * eye->skin * more);
}

/* A patch in the image of the iris plane. */
static inline struct patch on_iris(const struct eye *eye, const struct look *now, float x, float y, float scale)
{
    float z = iris_height(eye, now, x, y);
    return (struct patch){x, y, z, now->x, now->y, now->z, scale * PER_PI / now->z};
}

/* values *= response at these squared cosines, which are used up. */
static void multiply_by_lobe(const struct lobe *lobe, int count, float *restrict values, float *restrict cos2)
{
    if (lobe->steps > 0) {
        for (int i = 0; i < count; i++) {
            float at = fminf(sqrtf(cos2[i]), 1) * (float)lobe->steps;
            int j = (int)at < lobe->steps - 1 ? (int)at : lobe->steps - 1;
            values[i] *= lobe->table[j] + (at - (float)j) * (lobe->table[j + 1] - lobe->table[j]);
        }
        return;
    }
    if (lobe->rest == 0.5f) {
        for (int i = 0; i < count; i++)
            values[i] *= sqrtf(cos2[i]);
    } else if (lobe->rest > 0) {
        for (int i = 0; i < count; i++)
            values[i] *= powf(cos2[i], lobe->rest);
    }
    for (int whole = lobe->whole; whole > 0; whole >>= 1) {
        if (whole & 1) {
            for (int i = 0; i < count; i++)
                values[i] *= cos2[i];
        }
        if (whole > 1) {
            for (int i = 0; i < count; i++)
                cos2[i] *= cos2[i];
        }
    }
}

/* out[i][s] = gain · lobe · cosine at the patch / d², between part `at` of every sensor and every patch. */
static void one_end(const struct sensors *sensors, int at, int gain, const struct lobe *lobe, int count,
                    const struct patch *patches, float *restrict out, float *restrict cos2)
{
;
    const float *restrict px = sensors->table + at * ACROSS, *restrict py = px + ACROSS, *restrict pz = py + ACROSS;
    const float *restrict ax = pz + ACROSS, *restrict ay = ax + ACROSS, *restrict az = ay + ACROSS;
    const float *restrict factor = sensors->table + gain * ACROSS;
    for (int i = 0; i < count; i++) {
        const struct patch p = patches[i];
        float *restrict value = out + i * ACROSS, *restrict square = cos2 + i * ACROSS;
        for (int s = 0; s < ACROSS; s++) {
            float vx = px[s] - p.x, vy = py[s] - p.y, vz = pz[s] - p.z;
            float cosine = fmaxf(p.nx * vx + p.ny * vy + p.nz * vz, 0);
            float inverse = 1 / sqrtf(vx * vx + vy * vy + vz * vz);
            float off_axis = fmaxf(-(ax[s] * vx + ay[s] * vy + az[s] * vz) * inverse, 0);
            value[s] = off_axis > 0 ? factor[s] * cosine * inverse * inverse * inverse : 0;
            square[s] = off_axis * off_axis;
        }
    }
    multiply_by_lobe(lobe, count * ACROSS, out, cos2);
}

/* values[i][s]: what sensor s receives from each of at most CHUNK patches, per unit radiant intensity of the
 * emitters (1/mm²): ρ/π · area · Σ emitters mixing · lobe · cos / d² · cos · lobe / d². The detector's lobe includes
 * the cosine of its own face. */
static void respond(const struct sensors *sensors, int count, const struct patch *patches, float *restrict values)
{
;
    float light[CHUNK * ACROSS], cos2[CHUNK * ACROSS];
    one_end(sensors, DETECTOR, DETECTOR_GAIN, &sensors->detector, count, patches, values, cos2);
    one_end(sensors, EMITTER, EMITTER_GAIN, &sensors->emitter, count, patches, light, cos2);
    for (int i = 0; i < count; i++) {
        float *restrict value = values + i * ACROSS;
        const float *restrict emission = light + i * ACROSS;
        if (sensors->neighbours == 1) {
            for (int s = 0; s < ACROSS; s++)
                value[s] *= patches[i].scale * emission[s];
            continue;
        }
        float mixed[ACROSS] = {0};
        for (int k = 0; k < sensors->neighbours; k++) {
            const float *restrict share = sensors->mixing + k * ACROSS;
            for (int s = 0; s < sensors->count; s++)
                mixed[s] += share[s] * emission[(s + sensors->step[k]) % sensors->count];
        }
        for (int s = 0; s < ACROSS; s++)
            value[s] *= patches[i].scale * mixed[s];
    }
}

/* sums[s] += what sensor s receives from all patches, however many. */
static void add_patches(const struct sensors *sensors, int count, const struct patch *patches, float *restrict sums)
{
;
    float values[CHUNK * ACROSS];
    for (int first = 0; first < count; first += CHUNK) {
        int some = count - first < CHUNK ? count - first : CHUNK;
        respond(sensors, some, patches + first, values);
        for (int i = 0; i < some; i++) {
            for (int s = 0; s < ACROSS; s++)
                sums[s] += values[i * ACROSS + s];
        }
    }
}

/* Move one part to its image in a thin lens; parts on the eye's side of the lens stay.
 *
 * The image keeps the flux through the lens: a source at u that appears at v is (v/u)² as intense. By reciprocity the
 * same holds for a detector. Source: the thin lens equation. */
static void through_lens(float *table, int part, int gain, int s, float power)
{
    float *column = table + part * ACROSS + s;
    float u = column[2 * ACROSS] - LENS_MM;
    if (u < 0.1f)
        return;
    float v = u / (1 - u * power), ratio = v / u;
    float on_lens = -u / column[5 * ACROSS];
    float x = column[0] + on_lens * column[3 * ACROSS], y = column[ACROSS] + on_lens * column[4 * ACROSS];
    column[0] *= ratio;
    column[ACROSS] *= ratio;
    column[2 * ACROSS] = LENS_MM + v;
    float ax = x - column[0], ay = y - column[ACROSS], az = -v;
    float inverse = 1 / sqrtf(ax * ax + ay * ay + az * az);
    column[3 * ACROSS] = ax * inverse;
    column[4 * ACROSS] = ay * inverse;
    column[5 * ACROSS] = az * inverse;
    table[gain * ACROSS + s] *= ratio * ratio * LENS_TRANSMISSION;
}

/* Into `table` (ROWS, ACROSS): the sensors in head axes, as the eye sees them through its spectacles. */
static void place_sensors(const struct sensors *sensors, const struct eye *eye, const struct pose *pose, float *table)
{
;
    float c = cosf(pose->roll), s = sinf(pose->roll);
    memcpy(table, sensors->table, sizeof(float) * (size_t)(ROWS * ACROSS));
    for (int part = 0; part < DETECTOR_GAIN; part += 3) {
        float moves = part == DETECTOR || part == EMITTER ? 1 : 0;
        float *x = table + part * ACROSS, *y = x + ACROSS, *z = y + ACROSS;
        for (int i = 0; i < ACROSS; i++) {
            float u = x[i] + moves * pose->x, v = y[i] + moves * pose->y;
            x[i] = c * u - s * v;
            y[i] = s * u + c * v;
            z[i] += moves * pose->z;
        }
    }
    if (eye->lens_power != 0) {
        for (int i = 0; i < ACROSS; i++) {
            through_lens(table, DETECTOR, DETECTOR_GAIN, i, eye->lens_power);
            through_lens(table, EMITTER, EMITTER_GAIN, i, eye->lens_power);
        }
    }
}

#endif
