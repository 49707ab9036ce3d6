/* A layer of an image's table. */
#include "layer.h"

#include "bytes.h"

/* Each member by itself: an initializer would clear the rest first, in every inference. */
struct psog_layer psog_layer_decode(const struct psog_model *model, uint32_t index)
{
    const uint8_t *entry = model->layers + PSOG_LAYER_BYTES * index;
    struct psog_layer layer;
    layer.kind = entry[0];
    layer.padding = entry[1];
    layer.packing = entry[PSOG_LAYER_PACKING_AT];
    layer.rows = entry[2];
    layer.columns = entry[3];
    layer.in_channels = psog_get_u16(entry + 4);
    layer.out_channels = psog_get_u16(entry + 6);
    layer.in_zero = (int8_t)entry[8];
    layer.out_zero = (int8_t)entry[9];
    layer.low = (int8_t)entry[10];
    layer.high = (int8_t)entry[11];
    uint8_t lost = layer.padding == PSOG_SAME ? 0 : 2;
    layer.out_rows = psog_is_dense(&layer) ? 1 : (uint8_t)(layer.rows - lost);
    layer.out_columns = psog_is_dense(&layer) ? 1 : (uint8_t)(layer.columns - lost);
    layer.weights = (const int8_t *)model->image + psog_get_u32(entry + PSOG_LAYER_WEIGHTS_AT);
    layer.biases = model->image + psog_get_u32(entry + PSOG_LAYER_BIASES_AT);
    layer.multipliers = model->image + psog_get_u32(entry + PSOG_LAYER_MULTIPLIERS_AT);
    layer.shifts = (const int8_t *)model->image + psog_get_u32(entry + PSOG_LAYER_SHIFTS_AT);
    layer.corrections = model->image + psog_get_u32(entry + PSOG_LAYER_CORRECTIONS_AT);
    return layer;
}

static uint32_t whole_groups(uint32_t words)
{
    return (words + PSOG_PAIRED_GROUP - 1u) / PSOG_PAIRED_GROUP * PSOG_PAIRED_GROUP;
}

uint32_t psog_paired_inputs(const struct psog_layer *layer)
{
    uint32_t cells = (uint32_t)layer->rows * layer->columns;
    /* Only a first layer has cells of a single channel, and these pair up where it is dense. */
    bool paired_cells = psog_is_dense(layer) && layer->in_channels == 1;
    return whole_groups(paired_cells ? psog_pairs(cells) : cells * psog_pairs(layer->in_channels));
}

uint32_t psog_paired_outputs(const struct psog_layer *layer)
{
    return whole_groups((uint32_t)layer->out_rows * layer->out_columns * psog_pairs(layer->out_channels));
}

__attribute__((cold)) uint32_t psog_paired_lead(const struct psog_layer *layer)
{
    uint32_t kept = psog_paired_outputs(layer);
    if (psog_is_dense(layer))
        return kept;
    /* When output row r is written, input rows from r - border on are still needed. The demand is linear in r
     * from r = border on, so there or at the last row it is largest. */
    uint32_t border = layer->padding == PSOG_SAME ? 1 : 0;
    uint32_t in_row = layer->columns * psog_pairs(layer->in_channels);
    uint32_t out_row = layer->out_columns * psog_pairs(layer->out_channels);
    uint32_t last = layer->out_rows - 1u;
    uint32_t first = border < last ? border : last;
    uint32_t at_first = (first + 1u) * out_row;
    uint32_t outputs = layer->out_rows * out_row;
    uint32_t passed = (last - first) * in_row;
    uint32_t at_last = outputs > passed ? outputs - passed : 0;
    return (at_first > at_last ? at_first : at_last) + kept - outputs;
}
