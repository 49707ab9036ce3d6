/* Per user and pose: what does not change when the eye rotates, summed once.
 *
 * The sclera is a sphere about the rotation centre, so turning the eye moves only limbus, pupil and lids over it. For
 * each sensor the tables hold the sum over the whole skin, and running sums along y of the sclera that
 * opening the lids shows, of the skin that it takes away, and of the sclera where the cornea may be. A sample then needs only differences of running sums. */
#ifndef PSOG_SIM_TABLES_H
#define PSOG_SIM_TABLES_H

#include "optics.h"

struct tables {
    float *skin;     /* (ACROSS) closed lids and face */
    float *aperture; /* (aperture columns, rows + 1, ACROSS) sclera, including the columns' weights */
    float *covered;  /* the same of the skin that an open lid takes away */
    float *sclera;   /* (sclera columns, rows + 1, ACROSS) sclera per mm of column width */
};

static inline float row_height(const struct nodes *nodes)
{
    return 2 * nodes->row_limit / (float)nodes->rows;
}

/* One user's skin and eyeball in pieces, wherever the headset sits and the eye looks. */
struct surfaces {
    struct patch *skin;     /* (rings, spokes) */
    struct patch *aperture; /* (aperture columns, rows) sclera */
    struct patch *covered;  /* (aperture columns, rows) skin */
    struct patch *sclera;   /* (sclera columns, rows) per mm of column width */
};

/* Cut up a user's skin and, for tables, the columns of the open eye. */
static void put_surfaces(const struct eye *eye, const struct nodes *nodes, int tables, const struct surfaces *out)
{
    const int rows = nodes->rows;
    const float height = row_height(nodes);
    struct patch *patch = out->skin;
    for (int ring = 0; ring < nodes->rings.count; ring++) {
        float r = nodes->rings.x[ring];
        for (int k = 0; k < nodes->spokes.count; k++)
            *patch++ = on_skin(eye, r * nodes->spokes.x[k], r * nodes->spokes.weight[k], nodes->rings.weight[ring]);
    }
    for (int j = 0; tables && j < rows; j++) {
        float y = -nodes->row_limit + ((float)j + 0.5f) * height;
        for (int k = 0; k < nodes->aperture.count; k++) {
            float x = nodes->aperture.x[k] * eye->fissure_half;
            float area = nodes->aperture.weight[k] * eye->fissure_half * height;
            out->aperture[k * rows + j] = on_sclera(eye, x, y, area);
            out->covered[k * rows + j] = on_skin(eye, x, y, area);
        }
        for (int k = 0; k < nodes->columns.count; k++)
            out->sclera[k * rows + j] = on_sclera(eye, nodes->columns.x[k], y, height);
    }
}

/* Running sums of one column, a patch a row, from its lowest row up. */
static void accumulate(const struct sensors *sensors, int rows, const struct patch *patches, float *restrict out)
{
    float values[CHUNK * ACROSS];
    memset(out, 0, sizeof(float) * ACROSS);
    for (int first = 0; first < rows; first += CHUNK) {
        int some = rows - first < CHUNK ? rows - first : CHUNK;
        respond(sensors, some, patches + first, values);
        for (int j = 0; j < some; j++) {
            float *restrict sum = out + (first + j) * ACROSS;
            for (int s = 0; s < ACROSS; s++)
                sum[ACROSS + s] = sum[s] + values[j * ACROSS + s];
        }
    }
}

/* Fill the tables of one user and pose; `sensors` in head axes. */
static void prepare(const struct surfaces *surfaces, const struct sensors *sensors, const struct nodes *nodes,
                    const struct tables *tables)
{
    const int rows = nodes->rows, stride = (rows + 1) * ACROSS;
    memset(tables->skin, 0, sizeof(float) * ACROSS);
    add_patches(sensors, nodes->rings.count * nodes->spokes.count, surfaces->skin, tables->skin);
    for (int k = 0; k < nodes->aperture.count; k++) {
        accumulate(sensors, rows, surfaces->aperture + k * rows, tables->aperture + k * stride);
        accumulate(sensors, rows, surfaces->covered + k * rows, tables->covered + k * stride);
    }
    for (int k = 0; k < nodes->columns.count; k++)
        accumulate(sensors, rows, surfaces->sclera + k * rows, tables->sclera + k * stride);
}

/* out += weight × running sum of a column at height y, linear between rows. */
static inline void add_at(const struct nodes *nodes, const float *restrict column, float y, float weight,
                          float *restrict out)
{
    float at = (y + nodes->row_limit) / row_height(nodes);
    int j = (int)at;
    j = j < 0 ? 0 : j > nodes->rows - 1 ? nodes->rows - 1 : j;
    float above = weight * (at - (float)j), below = weight - above;
    const float *restrict row = column + j * ACROSS;
    for (int s = 0; s < ACROSS; s++)
        out[s] += below * row[s] + above * row[ACROSS + s];
}

/* out += weight × running sum of the sclera at (x, y), linear between columns. */
static inline void add_sclera_at(const struct nodes *nodes, const float *restrict sclera, float x, float y,
                                 float weight, float *restrict out)
{
    const int columns = nodes->columns.count - 1, stride = (nodes->rows + 1) * ACROSS;
    float position = (x + nodes->column_limit) * (float)columns / (2 * nodes->column_limit);
    int k = (int)position;
    k = k < 0 ? 0 : k > columns - 1 ? columns - 1 : k;
    float right = weight * (position - (float)k);
    add_at(nodes, sclera + k * stride, y, weight - right, out);
    add_at(nodes, sclera + (k + 1) * stride, y, right, out);
}

#endif
