/* Paired convolutions: how one is cut into tiles, and what each of them is in C.
 *
 * A convolution is computed tile by tile: a few outputs next to each other in a row, all channels one after
 * the other. What a tile reads of an input row is one stretch of words, and so is what it reads of the
 * weights, so that one loop runs over all pairs of channels of all kernel rows, and each weight serves every
 * output of the tile. Outputs have a ReLU and the zero point -128, so they are 0 … 255 here: saturating to
 * 8 bits is the whole activation. kernels_armv7em.S computes the same on cores with DSP instructions. */
#include "paired_arithmetic.h"

#if PSOG_RUNS_PAIRED

static void next_channel(struct psog_tile *tile)
{
    tile->biases += 4;
    tile->multipliers += 8;
    tile->outputs += tile->step_bytes / 2u;
    tile->step_bytes = tile->out_pitch - tile->step_bytes;
    tile->channels--;
}

void psog_tile(const struct psog_tile *first, const uint8_t *weights, enum psog_packing packing,
               struct psog_tile_shape shape)
{
    struct psog_tile tile = *first;
    uint32_t stretch = PSOG_PAIR_BYTES(packing) * 3u * tile.iterations;
    for (; tile.channels > 0; next_channel(&tile)) {
        for (uint32_t output = 0; output < shape.outputs; output++) {
            uint32_t sum = psog_get_u32(tile.biases);
            for (uint32_t i = 0; i < tile.iterations; i++)
                for (uint32_t tap = 0; tap < 3; tap++) {
                    uint32_t column = output + tap - shape.left; /* wraps where it is left of the first */
                    if (column < shape.inputs)
                        sum += psog_weight_products(packing, weights, 3u * i + tap,
                                               tile.inputs[i * shape.columns + column]);
                }
            tile.outputs[2u * output] = psog_finish(sum, tile.multipliers);
        }
        weights += stretch + tile.weight_skip;
    }
}

/* The next step of a sparse tile, with `taps` weights from kernel column `first` on: adds its products. */
__attribute__((noinline)) static const uint8_t *
sparse_step(const struct psog_tile *tile, const uint8_t *step, uint32_t first, uint32_t taps,
            struct psog_tile_shape shape, uint32_t *position, uint32_t *sums)
{
    *position += psog_get_u32(step + 4u * taps);
    const uint32_t *inputs = tile->inputs + *position / 4u;
    for (uint32_t output = 0; output < shape.outputs; output++)
        for (uint32_t tap = 0; tap < taps; tap++) {
            uint32_t column = output + first + tap - shape.left; /* wraps where it is left of the first */
            if (column < shape.inputs)
                sums[output] += psog_weight_products(PSOG_PAIRED_16, step, tap, inputs[column]);
        }
    *position += PSOG_SPARSE_ADVANCE;
    return step + 4u * taps + 4u;
}

void psog_sparse_tile(const struct psog_tile *first, const uint8_t *weights, struct psog_tile_shape shape)
{
    struct psog_tile tile = *first;
    for (; tile.channels > 0; next_channel(&tile)) {
        const uint8_t *counts = weights;
        uint32_t sums[5] = {0};
        uint32_t position = 0;
        weights += 4;
        for (uint32_t i = 0; i < counts[0]; i++)
            weights = sparse_step(&tile, weights, 0, 2, shape, &position, sums);
        for (uint32_t i = 0; i < counts[1]; i++)
            weights = sparse_step(&tile, weights, 1, 2, shape, &position, sums);
        for (uint32_t i = 0; i < counts[2]; i++)
            weights = sparse_step(&tile, weights, 0, 3, shape, &position, sums);
        for (uint32_t output = 0; output < shape.outputs; output++)
            tile.outputs[2u * output] =
                psog_finish(sums[output] + psog_get_u32(tile.biases), tile.multipliers);
    }
}

static void run_tile_in_c(const struct psog_tile *tile, const uint8_t *weights, enum psog_packing packing,
                          struct psog_tile_shape shape)
{
    if (packing == PSOG_SPARSE)
        psog_sparse_tile(tile, weights, shape);
    else
        psog_tile(tile, weights, packing, shape);
}

#define TILE 4u      /* outputs: with more, sums and inputs do not fit into the registers */
#define WHOLE_ROW 5u /* unless every iteration reads the whole row, and nothing has to be passed over */

#ifdef PSOG_CORE_DSP
#define HELD(kind, packing, loop)                                                                         \
    (PSOG_HOLDS_TILE(kind) && (PSOG_CONVOLUTIONS >> (packing)) % 2u ? (loop) : NULL)
#define LOOPS(kind, of_16, of_8, sparse)                                                                  \
    {HELD(kind, PSOG_PAIRED_16, of_16), HELD(kind, PSOG_PAIRED_8, of_8), HELD(kind, PSOG_SPARSE, sparse)}

/* The loops of a shape, by packing, NULL where this build does not hold it; NULL if there are none. There
 * are some for the whole row of a grid of five columns, with borders or without; the ends of one of eight;
 * and, of any number of columns, left end, middle and right end. */
static psog_tile_loop *const *loops_of(struct psog_tile_shape shape)
{
    static psog_tile_loop *const FULL[] =
        LOOPS(PSOG_ROW_OF_5, psog_tile_5_full_16, psog_tile_5_full_8, psog_sparse_5_full);
    static psog_tile_loop *const THREE[] =
        LOOPS(PSOG_3_OF_5, psog_tile_3_middle_16, psog_tile_3_middle_8, psog_sparse_3_middle);
    static psog_tile_loop *const MIDDLE[] =
        LOOPS(PSOG_MIDDLE, psog_tile_4_middle_16, psog_tile_4_middle_8, psog_sparse_4_middle);
    static psog_tile_loop *const ENDS[][3] = {
        LOOPS(PSOG_RIGHT, psog_tile_4_right_16, psog_tile_4_right_8, psog_sparse_4_right),
        LOOPS(PSOG_LEFT, psog_tile_4_left_16, psog_tile_4_left_8, psog_sparse_4_left),
        LOOPS(PSOG_RIGHT_OF_8, psog_tile_8_right_16, psog_tile_4_right_8, psog_sparse_4_right),
        LOOPS(PSOG_LEFT_OF_8, psog_tile_8_left_16, psog_tile_4_left_8, psog_sparse_4_left),
    };
    const bool any_end = PSOG_HOLDS_TILE(PSOG_RIGHT) || PSOG_HOLDS_TILE(PSOG_LEFT) ||
                         PSOG_HOLDS_TILE(PSOG_RIGHT_OF_8) || PSOG_HOLDS_TILE(PSOG_LEFT_OF_8);
    if (shape.outputs == WHOLE_ROW)
        return PSOG_HOLDS_TILE(PSOG_ROW_OF_5) ? FULL : NULL;
    if (PSOG_HOLDS_TILE(PSOG_MIDDLE) && shape.outputs == TILE && shape.inputs == TILE + 2u)
        return MIDDLE;
    if (shape.inputs != WHOLE_ROW)
        return NULL;
    if (any_end && shape.outputs == TILE)
        return ENDS[shape.left + (shape.columns == 8u ? 2u : 0u)];
    return PSOG_HOLDS_TILE(PSOG_3_OF_5) && shape.columns == WHOLE_ROW ? THREE : NULL;
}

static void run_tile(const struct psog_tile *tile, const uint8_t *weights, enum psog_packing packing,
                     struct psog_tile_shape shape)
{
    psog_tile_loop *const *loops = loops_of(shape);
    if (!PSOG_HOLDS_TILE(PSOG_OTHER_TILES) || loops != NULL)
        psog_run_tile(tile, weights, loops[packing - PSOG_PAIRED_16]);
    else
        run_tile_in_c(tile, weights, packing, shape);
}
#else
#define run_tile run_tile_in_c
#endif

/* What the rows of a convolution share. */
struct convolution {
    const struct psog_layer *layer;
    uint32_t border;  /* columns and rows of outputs that lie outside on either side: 1 or 0 */
    uint32_t columns; /* of outputs */
    uint32_t tile;    /* outputs of a tile */
};

/* One row of outputs. tile: of it but for what follows from the column. */
static void convolve_row(const struct convolution *all, struct psog_tile *tile, const uint8_t *weights)
{
    const struct psog_layer *layer = all->layer;
    const uint32_t border = all->border, columns = all->columns, outputs = all->tile;
    const uint32_t *first_input = tile->inputs;
    int16_t *first_output = tile->outputs;
    uint32_t column = 0;
    for (;;) {
        uint32_t left = border && column == 0, end = column + outputs;
        uint32_t inputs = outputs + 2u - left - (border && end == columns);
        tile->inputs = first_input + column + left - border;
        tile->outputs = first_output + 2u * column;
        tile->rest_bytes = 4u * (layer->columns - inputs);
        run_tile(tile, weights, layer->packing,
                 (struct psog_tile_shape){(uint8_t)outputs, (uint8_t)left, (uint8_t)inputs, layer->columns});
        if (end == columns)
            return;
        /* The last tile begins early, within the one before, rather than to end past the row. */
        column = end + outputs > columns ? columns - outputs : end;
    }
}

static uint32_t tile_outputs(const struct psog_layer *layer)
{
    if (layer->padding == PSOG_SAME && layer->columns == WHOLE_ROW)
        return WHOLE_ROW;
    return layer->out_columns < TILE ? layer->out_columns : TILE;
}

#if defined(PSOG_CORE_DSP) && PSOG_TILES != 0xFF
__attribute__((cold)) bool psog_holds_tiles(const struct psog_layer *layer)
{
    const uint32_t border = layer->padding == PSOG_SAME, columns = layer->out_columns;
    const uint32_t outputs = tile_outputs(layer);
    for (uint32_t column = 0;;) {
        const uint32_t left = border && column == 0, end = column + outputs;
        const uint32_t inputs = outputs + 2u - left - (border && end == columns);
        psog_tile_loop *const *loops = loops_of(
            (struct psog_tile_shape){(uint8_t)outputs, (uint8_t)left, (uint8_t)inputs, layer->columns});
        if (loops == NULL ? !PSOG_HOLDS_TILE(PSOG_OTHER_TILES) : !loops[layer->packing - PSOG_PAIRED_16])
            return false;
        if (end == columns)
            return true;
        column = end + outputs > columns ? columns - outputs : end;
    }
}
#endif

void psog_convolve_paired(const struct psog_layer *layer, const uint32_t *input, uint32_t *output,
                          bool from_last_row)
{
    const uint32_t border = layer->padding == PSOG_SAME ? 1 : 0;
    const uint32_t pairs = psog_pairs(layer->in_channels), in_row = layer->columns * pairs;
    const uint32_t out_row = layer->out_columns * psog_pairs(layer->out_channels);
    const bool sparse = PSOG_IS(PSOG_CONVOLUTIONS, layer->packing, PSOG_SPARSE);
    /* Of one kernel row's weights; sparse ones have a list for each set of kernel rows instead. */
    const uint32_t row_bytes = sparse ? 0 : 3u * PSOG_PAIR_BYTES(layer->packing) * pairs;
    const uint8_t *all_weights = (const uint8_t *)layer->weights;
    const struct convolution all = {layer, border, layer->out_columns, tile_outputs(layer)};
    const uint32_t rows = layer->out_rows;
    struct psog_tile tile; /* without an initializer, which would clear it first */
    tile.step_bytes = 2;
    tile.biases = layer->biases;
    tile.multipliers = layer->multipliers;
    tile.out_pitch = 4u * layer->out_columns;
    tile.channels = layer->out_channels;
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t row = from_last_row ? rows - 1u - i : i;
        const uint32_t above = border && row == 0, below = border && row + 1u == rows; /* of kernel rows */
        const uint8_t *weights = all_weights + above * row_bytes;
        if (sparse) /* as psog_reach numbers them */
            weights += psog_get_u32(all_weights + 4u + 4u * (above + 2u * below));
        tile.inputs = input + (row + above - border) * in_row;
        tile.outputs = (int16_t *)(output + row * out_row);
        tile.iterations = (3u - above - below) * pairs;
        tile.weight_skip = (above + below) * row_bytes;
        convolve_row(&all, &tile, weights);
    }
}
#endif
