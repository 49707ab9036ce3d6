/* Irradiance at every sensor for users, poses and eye states. */
#include <stdlib.h>

#include "glint.h"
#include "lid_edge.h"
#include "tables.h"

/* What a column shows of a disc's outline between the lids; empty where high <= low. */
struct chord {
    float x, low, high;
    float half_width; /* of the outline: the weight of a column that has weight 1 in -1..1 */
};

/* A column through a disc that faces the optical axis, seen from the front, at t (-1 to 1) ACROSS its outline.
 *
 * The outline is an ellipse with covariance radius² (1 - g gᵀ) about depth · g, g the optical axis. */
static struct chord disc_chord(const struct eye *eye, const struct look *now, float radius, float depth, float t)
{
    float spread = 1 - now->x * now->x, half_width = radius * sqrtf(spread);
    float x = depth * now->x + half_width * t;
    float middle = depth * now->y - now->x * now->y / spread * half_width * t;
    float half_height = radius * now->z / sqrtf(spread) * sqrtf(fmaxf(1 - t * t, 0));
    struct interval open = between_lids(eye, now, x);
    return (struct chord){x, fmaxf(open.low, middle - half_height), fminf(open.high, middle + half_height), half_width};
}

struct job {
    const struct scene *scene;
    struct sensors sensors; /* in head axes */
    struct patch *patches;  /* room for those of a sample */
    struct surfaces surfaces; /* of the user at hand */
    struct tables tables;     /* of the pose at hand */
};

/* sums += a column of patches on the eye, dimmed by the lashes. */
static void add_column(const struct job *job, const struct eye *eye, const struct look *now, int count,
                       const struct patch *patches, float *restrict sums)
{
;
    const struct patch *middle = patches + count / 2;
    float values[ACROSS] = {0};
    add_patches(&job->sensors, count, patches, values);
    dim(eye, lash_root(eye, now, middle->x), &job->sensors, middle->y, middle->z, values);
    for (int s = 0; s < ACROSS; s++)
        sums[s] += values[s];
}

/* Open the lids: sclera, dimmed by the lashes, in place of skin, by tables or in patches. */
static void open_lids(const struct job *job, const struct eye *eye, const struct look *now, float *restrict sums)
{
    const struct nodes *nodes = &job->scene->nodes;
    const int stride = (nodes->rows + 1) * ACROSS;
    for (int k = 0; k < nodes->aperture.count; k++) {
        float x = nodes->aperture.x[k] * eye->fissure_half;
        struct interval open = between_lids(eye, now, x);
        if (open.high <= open.low)
            continue;
        float half = 0.5f * (open.high - open.low), middle = 0.5f * (open.high + open.low);
        float shown[ACROSS] = {0}, covered[ACROSS] = {0};
        if (job->scene->tables) {
            const float *aperture = job->tables.aperture + k * stride, *skin = job->tables.covered + k * stride;
            add_at(nodes, aperture, open.high, 1, shown);
            add_at(nodes, aperture, open.low, -1, shown);
            add_at(nodes, skin, open.high, 1, covered);
            add_at(nodes, skin, open.low, -1, covered);
        } else {
            const int points = nodes->aperture_points.count;
            float area = nodes->aperture.weight[k] * eye->fissure_half * half;
            for (int g = 0; g < points; g++) {
                float y = middle + half * nodes->aperture_points.x[g];
                job->patches[g] = on_sclera(eye, x, y, area * nodes->aperture_points.weight[g]);
                job->patches[points + g] = on_skin(eye, x, y, area * nodes->aperture_points.weight[g]);
            }
            add_patches(&job->sensors, points, job->patches, shown);
            add_patches(&job->sensors, points, job->patches + points, covered);
        }
        float z = sphere_height(eye->radius, x, middle).z;
        dim(eye, lash_root(eye, now, x), &job->sensors, middle, z, shown);
        for (int s = 0; s < ACROSS; s++)
            sums[s] += shown[s] - covered[s];
    }
}

/* Iris in place of sclera inside the limbus. */
static void add_iris(const struct job *job, const struct eye *eye, const struct look *now, float *restrict sums)
{
    const struct nodes *nodes = &job->scene->nodes;
;
    for (int k = 0; k < nodes->limbus.count; k++) {
        struct chord chord = disc_chord(eye, now, eye->limbus_radius, eye->limbus_depth, nodes->limbus.x[k]);
        if (chord.high <= chord.low)
            continue;
        float half = 0.5f * (chord.high - chord.low), middle = 0.5f * (chord.high + chord.low);
        float width = nodes->limbus.weight[k] * chord.half_width;
        float values[ACROSS] = {0};
        int count = 0;
        for (int g = 0; g < nodes->limbus_points.count; g++) {
            float y = middle + half * nodes->limbus_points.x[g], area = width * half * nodes->limbus_points.weight[g];
            job->patches[count++] = on_iris(eye, now, chord.x, y, area * eye->iris);
            if (!job->scene->tables)
                job->patches[count++] = on_sclera(eye, chord.x, y, -area);
        }
        if (job->scene->tables) {
            add_sclera_at(nodes, job->tables.sclera, chord.x, chord.high, -width, values);
            add_sclera_at(nodes, job->tables.sclera, chord.x, chord.low, width, values);
        }
        add_patches(&job->sensors, count, job->patches, values);
        float z = iris_height(eye, now, chord.x, middle);
        dim(eye, lash_root(eye, now, chord.x), &job->sensors, middle, z, values);
        for (int s = 0; s < ACROSS; s++)
            sums[s] += values[s];
    }
}

/* Pupil in place of iris. */
static void add_pupil(const struct job *job, const struct eye *eye, const struct look *now, float *restrict sums)
{
    const struct nodes *nodes = &job->scene->nodes;
    float radius = now->pupil * eye->pupil_scale;
    int count = 0;
    for (int k = 0; k < nodes->pupil.count; k++) {
        struct chord chord = disc_chord(eye, now, radius, eye->iris_depth, nodes->pupil.x[k]);
        if (chord.high <= chord.low)
            continue;
        float half = 0.5f * (chord.high - chord.low), middle = 0.5f * (chord.high + chord.low);
        float scale = nodes->pupil.weight[k] * chord.half_width * half * (eye->pupil - eye->iris);
        for (int g = 0; g < nodes->pupil_points.count; g++)
            job->patches[count++] = on_iris(eye, now, chord.x, middle + half * nodes->pupil_points.x[g],
                                            scale * nodes->pupil_points.weight[g]);
    }
    if (count > 0)
        add_column(job, eye, now, count, job->patches, sums);
}

/* One eye state of one user in one pose, into sums (ACROSS). */
static void render_sample(const struct job *job, const struct eye *eye, const struct look *now, float *restrict sums)
{
    const struct nodes *nodes = &job->scene->nodes;
    if (job->scene->tables) {
        memcpy(sums, job->tables.skin, sizeof(float) * (size_t)ACROSS);
    } else {
        memset(sums, 0, sizeof(float) * (size_t)ACROSS);
        add_patches(&job->sensors, nodes->rings.count * nodes->spokes.count, job->surfaces.skin, sums);
    }
    open_lids(job, eye, now, sums);
    add_iris(job, eye, now, sums);
    add_pupil(job, eye, now, sums);
    if (job->scene->lid_margin)
        add_edges(eye, now, &job->sensors, nodes, sums);
    add_glints(eye, now, &job->sensors, job->scene->tear_film, sums);
}

/* Room for the largest heap of patches that a sample makes at a time. */
static int patches_of_sample(const struct nodes *nodes)
{
    int aperture = 2 * nodes->aperture_points.count, limbus = 2 * nodes->limbus_points.count;
    int pupil = nodes->pupil.count * nodes->pupil_points.count;
    int most = aperture > limbus ? aperture : limbus;
    return most > pupil ? most : pupil;
}

/* out (users, samples, sensors): irradiance (1/mm²) for users, a pose and some eye states each.
 * Returns 0, or -1 when there is no memory. */
int psog_render(const struct scene *scene, int users, const struct eye *eyes, const struct pose *poses, int samples,
                const struct look *states, float *out)
{
    const struct nodes *nodes = &scene->nodes;
    const int skin = nodes->rings.count * nodes->spokes.count, rows = nodes->rows;
    const int aperture = nodes->aperture.count, columns = nodes->columns.count, stride = (rows + 1) * ACROSS;
    struct patch *patches = malloc(sizeof *patches * (size_t)(skin + (2 * aperture + columns) * rows + patches_of_sample(nodes)));
    float *sums = malloc(sizeof *sums * (size_t)(2 * ACROSS + (2 * aperture + columns) * stride));
    if (!patches || !sums) {
        free(patches);
        free(sums);
        return -1;
    }
    struct patch *open = patches + skin;
    float *table_of = sums + 2 * ACROSS;
    struct surfaces surfaces = {patches, open, open + aperture * rows, open + 2 * aperture * rows};
    struct tables tables = {sums + ACROSS, table_of, table_of + aperture * stride, table_of + 2 * aperture * stride};
    struct job job = {scene, scene->sensors, surfaces.sclera + columns * rows, surfaces, tables};
    float table[ROWS * ACROSS];
    job.sensors.table = table;
    for (int m = 0; m < users; m++) {
        if (m == 0 || memcmp(eyes + m, eyes + m - 1, sizeof *eyes) != 0)
            put_surfaces(eyes + m, nodes, scene->tables, &surfaces);
        place_sensors(&scene->sensors, eyes + m, poses + m, table);
        if (scene->tables)
            prepare(&surfaces, &job.sensors, nodes, &tables);
        for (int i = 0; i < samples; i++) {
            size_t at = (size_t)m * (size_t)samples + (size_t)i;
            render_sample(&job, eyes + m, states + at, sums);
            memcpy(out + at * (size_t)scene->sensors.count, sums, sizeof(float) * (size_t)scene->sensors.count);
        }
    }
    free(patches);
    free(sums);
    return 0;
}

static void put_surface(float *out, int kind, struct height at)
{
    float upright = 1 / sqrtf(1 + at.x * at.x + at.y * at.y);
    float row[5] = {(float)kind, at.z, -at.x * upright, -at.y * upright, upright};
    memcpy(out, row, sizeof row);
}

/* out (count, 5): what lies above points of the frontal plane: kind (0 skin, 1 sclera, 2 iris, 3 pupil), z, normal. */
void psog_surfaces(const struct eye *eye, const struct look *now, int count, const float *x, const float *y, float *out)
{
    for (int i = 0; i < count; i++) {
        struct interval open = between_lids(eye, now, x[i]);
        if (y[i] <= open.low || y[i] >= open.high) {
            put_surface(out + 5 * i, 0, skin_height(eye, x[i], y[i]));
        } else if (from_axis(now, eye->limbus_depth, x[i], y[i]) >= eye->limbus_radius) {
            put_surface(out + 5 * i, 1, sphere_height(eye->radius, x[i], y[i]));
        } else {
            int pupil = from_axis(now, eye->iris_depth, x[i], y[i]) < now->pupil * eye->pupil_scale;
            struct height plane = {iris_height(eye, now, x[i], y[i]), -now->x / now->z, -now->y / now->z};
            put_surface(out + 5 * i, pupil ? 3 : 2, plane);
        }
    }
}
