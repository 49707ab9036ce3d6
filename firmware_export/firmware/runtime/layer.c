/* A layer of an image's table. */
#include "layer.h"

#include "bytes.h"

struct psog_layer psog_layer_shape(const uint8_t *entry)
{
    struct psog_layer layer = {
        .kind = entry[0],
        .padding = entry[1],
        .rows = entry[2],
        .columns = entry[3],
        .in_channels = psog_get_u16(entry + 4),
        .out_channels = psog_get_u16(entry + 6),
        .in_zero = (int8_t)entry[8],
        .out_zero = (int8_t)entry[9],
        .low = (int8_t)entry[10],
        .high = (int8_t)entry[11],
    };
    uint8_t lost = layer.padding == PSOG_SAME ? 0 : 2;
    layer.out_rows = layer.kind == PSOG_DENSE ? 1 : (uint8_t)(layer.rows - lost);
    layer.out_columns = layer.kind == PSOG_DENSE ? 1 : (uint8_t)(layer.columns - lost);
    return layer;
}

struct psog_layer psog_layer_decode(const struct psog_model *model, uint32_t index)
{
    const uint8_t *entry = model->layers + PSOG_LAYER_BYTES * index;
    struct psog_layer layer = psog_layer_shape(entry);
    layer.weights = (const int8_t *)model->image + psog_get_u32(entry + PSOG_LAYER_WEIGHTS_AT);
    layer.biases = model->image + psog_get_u32(entry + PSOG_LAYER_BIASES_AT);
    layer.multipliers = model->image + psog_get_u32(entry + PSOG_LAYER_MULTIPLIERS_AT);
    layer.shifts = (const int8_t *)model->image + psog_get_u32(entry + PSOG_LAYER_SHIFTS_AT);
    return layer;
}
