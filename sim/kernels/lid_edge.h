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

/* What one place on an edge adds and hides: its wall, and strips of sclera and of iris behind it. */
enum { SCLERA, IRIS, WALL, PIECES };

struct piece {
    int kind;
    float height; /* of the edge above what the piece is of */
    float away;   /* slope of the eye behind the edge */
};

/* How detectors and emitters look over an edge. */
struct view {
    float steep[2 * ACROSS]; /* slope towards the edge's own lid */
    float over[2 * ACROSS];  /* the same where the straight line from the part crosses the edge, which is beside the
                              * place that the edge is for, higher or lower */
};

static void look_over(const struct sensors *sensors, const struct edge *edge, struct view *view)
{
    for (int end = 0; end < 2; end++) {
        const float *restrict part = sensors->table + (end == 0 ? DETECTOR : EMITTER) * ACROSS;
        for (int s = 0; s < ACROSS; s++) {
            float flat = 1 / (part[2 * ACROSS + s] - edge->z), aside = (part[s] - edge->x) * flat;
            float steep = edge->side * ((part[ACROSS + s] - edge->y) * flat - edge->slope * aside);
            view->steep[end * ACROSS + s] = steep;
            view->over[end * ACROSS + s] = steep / fmaxf(1 - edge->rise * aside, 0.3f);
        }
    }
}

/* How far behind an edge the line of sight of part i meets the eye; negative in front. */
static inline float behind(const struct view *view, const struct piece *eye, int i)
{
    return eye->height * view->over[i] / fmaxf(1 - eye->away * view->steep[i], 0.5f);
}

/* The pieces and their patches, those of strips per mm of their width; returns how many there are. */
static int put_pieces(const struct eye *eye, const struct look *now, const struct edge *edge, struct patch *patches,
                      struct piece *pieces)
{
    float x = edge->x, in_limbus = fade(eye->limbus_radius - from_axis(now, eye->limbus_depth, x, edge->y), LIMBUS_BLUR_MM);
    int count = 0;
    float high = fmaxf(edge->z - eye_front(eye, now, x, edge->y, in_limbus), 1e-3f);
    patches[count] = wall(eye, edge, high);
    pieces[count++] = (struct piece){WALL, high, 0};
    if (in_limbus < 1) {
        struct height at = sphere_height(eye->radius, x, edge->y);
        high = fmaxf(edge->z - at.z, 0);
        float y = edge->y - edge->side * fminf(INTO_STRIP * high, 0.5f * edge->opening);
        patches[count] = on_sclera(eye, x, y, edge->width * (1 - in_limbus));
        pieces[count++] = (struct piece){SCLERA, high, edge->side * at.y};
    }
    if (in_limbus > 0) {
        high = fmaxf(edge->z - iris_height(eye, now, x, edge->y), 0);
        float y = edge->y - edge->side * fminf(INTO_STRIP * high, 0.5f * edge->opening);
        float from_pupil = now->pupil * eye->pupil_scale - from_axis(now, eye->iris_depth, x, y);
        float reflectance = eye->iris + fade(from_pupil, PUPIL_BLUR_MM) * (eye->pupil - eye->iris);
        patches[count] = on_iris(eye, now, x, y, edge->width * in_limbus * reflectance);
        pieces[count++] = (struct piece){IRIS, high, -edge->side * now->y / now->z};
    }
    return count;
}

/* sums += the light of an edge's wall; where the lids all but meet, only as deep as each part sees it past the other
 * lid. */
static void add_wall(const struct sensors *sensors, const struct edge *edge, const struct piece *wall,
                     const float *restrict light, float *restrict sums)
{
    const float *restrict d = sensors->table + DETECTOR * ACROSS, *restrict e = sensors->table + EMITTER * ACROSS;
    for (int s = 0; s < ACROSS; s++) {
        float deep = fminf(depth_seen(edge, d[ACROSS + s], d[2 * ACROSS + s]),
                           depth_seen(edge, e[ACROSS + s], e[2 * ACROSS + s]));
        sums[s] += light[s] * fminf(deep / wall->height, 1);
    }
}

/* sums -= the light of a strip, as wide as each sensor has it hidden, of what the other lid has left of it. */
static void hide(const struct view *view, const struct piece *strip, const float *restrict light,
                 float *restrict left, float *restrict sums)
{
    for (int s = 0; s < ACROSS; s++) {
        float hidden = fmaxf(behind(view, strip, s), behind(view, strip, ACROSS + s));
        float width = fminf(fmaxf(hidden, 0), left[s]);
        left[s] -= width;
        sums[s] -= light[s] * width;
    }
}

/* Walls and strips of both lids. */
static void add_edges(const struct eye *eye, const struct look *now, const struct sensors *sensors,
                      const struct nodes *nodes, float *restrict sums)
{
    for (int k = 0; k < nodes->edge.count; k++) {
        float x = nodes->edge.x[k] * eye->fissure_half;
        struct interval open = between_lids(eye, now, x);
        if (open.high <= open.low)
            continue;
        struct root root = lash_root(eye, now, x);
        struct edge edges[2];
        struct view views[2];
        struct patch patches[2 * PIECES];
        struct piece pieces[2 * PIECES];
        float values[2 * PIECES * ACROSS], left[2 * ACROSS]; /* of sclera, of iris */
        int upper = 0, count = 0;
        for (int lid = 0; lid < 2; lid++) {
            float y = lid == 0 ? open.high : open.low, middle = lid == 0 ? now->upper : -now->lower;
            float slope = -2 * middle * x / (eye->fissure_half * eye->fissure_half);
            struct height skin = skin_height(eye, x, y);
            edges[lid] = (struct edge){
                x, y, skin.z, lid == 0 ? 1 : -1, slope, skin.x + slope * skin.y,
                open.high - open.low, nodes->edge.weight[k] * eye->fissure_half,
            };
            look_over(sensors, edges + lid, views + lid);
            count += put_pieces(eye, now, edges + lid, patches + count, pieces + count);
            upper = lid == 0 ? count : upper;
        }
        respond(sensors, count, patches, values);
        for (int s = 0; s < 2 * ACROSS; s++)
            left[s] = open.high - open.low;
        for (int i = 0; i < count; i++) {
            int lid = i < upper ? 0 : 1;
            float *light = values + i * ACROSS;
            dim(eye, root, sensors, patches[i].y, patches[i].z, light);
            if (pieces[i].kind == WALL)
                add_wall(sensors, edges + lid, pieces + i, light, sums);
            else
                hide(views + lid, pieces + i, light, left + pieces[i].kind * ACROSS, sums);
        }
    }
}

#endif
