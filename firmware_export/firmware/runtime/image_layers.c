/* The layers of an image: kinds, packings, shapes that fit, arrays inside the image, values in range. */
#pragma GCC optimize("Os") /* runs once for a model */

#include "image.h"

#include "layer.h"

static bool valid_kind(const struct psog_layer *layer)
{
    if (layer->packing >= PSOG_PACKINGS)
        return false;
    if (layer->kind == PSOG_DENSE)
        return layer->padding == PSOG_VALID;
    if (layer->kind != PSOG_CONVOLUTION || layer->padding > PSOG_SAME)
        return false;
    return layer->padding == PSOG_SAME || (layer->rows >= 3 && layer->columns >= 3);
}

/* Paired kernels know one activation alone, and take int8 weights of convolutions six pairs at a time. Only a
 * dense layer's weights have four bits. */
static bool valid_packing(const struct psog_layer *layer)
{
    bool of_four_bits = layer->packing == PSOG_PAIRED_4 || layer->packing == PSOG_PLAIN_4;
    if (layer->kind == PSOG_CONVOLUTION && of_four_bits)
        return false;
    if (psog_is_plain(layer))
        return true;
    bool whole = layer->packing != PSOG_PAIRED_8 || psog_pairs(layer->in_channels) % 2u == 0;
    bool dense = layer->kind == PSOG_DENSE;
    return (dense ? layer->packing != PSOG_SPARSE : whole && layer->out_channels > 1) &&
           layer->out_zero == PSOG_PAIRED_ZERO && layer->low == PSOG_PAIRED_ZERO && layer->high == 127;
}

static bool valid_plain_requantization(const struct psog_layer *layer)
{
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        int32_t multiplier = psog_get_i32(layer->multipliers + 4u * channel);
        if (multiplier != 0 && multiplier < (1 << 30))
            return false;
        if (layer->shifts[channel] < -31 || layer->shifts[channel] > 7)
            return false;
    }
    return true;
}

static bool valid_paired_requantization(const struct psog_layer *layer)
{
    for (uint32_t channel = 0; channel < layer->out_channels; channel++) {
        int32_t rest = psog_get_i32(layer->multipliers + 8u * channel);
        if (rest >= 0 || rest % 2 != 0 || psog_get_u32(layer->multipliers + 8u * channel + 4u) > 30u)
            return false;
    }
    return true;
}

/* What the weights of one output take; sparse ones have a length of their own. */
static uint32_t output_weight_bytes(const struct psog_layer *layer)
{
    if (layer->packing == PSOG_PLAIN_4)
        return psog_plain4_row_bytes(psog_layer_inputs(layer));
    if (psog_is_plain(layer))
        return layer->kind == PSOG_DENSE ? psog_layer_inputs(layer) : PSOG_TAPS * layer->in_channels;
    uint32_t pairs = layer->kind == PSOG_DENSE ? psog_paired_inputs(layer)
                                               : PSOG_TAPS * psog_pairs(layer->in_channels);
    return pairs * PSOG_PAIR_BYTES(layer->packing);
}

static uint32_t weight_bytes(const struct psog_layer *layer)
{
    if (layer->packing == PSOG_SPARSE)
        return PSOG_SPARSE_HEADER_BYTES;
    bool of_four_bits = layer->packing == PSOG_PAIRED_4 || layer->packing == PSOG_PLAIN_4;
    return layer->out_channels * output_weight_bytes(layer) + (of_four_bits ? psog_factor_bytes(layer) : 0);
}

/* What a layer needs of activations. */
static uint32_t activation_bytes(const struct psog_layer *layer)
{
    if (psog_is_plain(layer))
        return psog_layer_inputs(layer) + psog_layer_outputs(layer);
    return 4u * (psog_paired_inputs(layer) + psog_paired_lead(layer));
}

/* Whether every array of a layer lies inside the image; its shape has been checked before. */
static bool valid_arrays(uint32_t image_bytes, const uint8_t *entry, const struct psog_layer *layer)
{
    uint32_t out = layer->out_channels;
    bool plain = psog_is_plain(layer);
    const struct psog_part parts[] = {
        {psog_get_u32(entry + PSOG_LAYER_WEIGHTS_AT), weight_bytes(layer)},
        {psog_get_u32(entry + PSOG_LAYER_BIASES_AT), 4u * out},
        {psog_get_u32(entry + PSOG_LAYER_MULTIPLIERS_AT), (plain ? 4u : 8u) * out},
        {psog_get_u32(entry + PSOG_LAYER_SHIFTS_AT), out},
        {psog_get_u32(entry + PSOG_LAYER_CORRECTIONS_AT), 4u * out},
    };
    /* Paired layers have no shifts and no corrections. */
    uint32_t count = plain ? 5 : 3;
    for (uint32_t i = 0; i < count; i++)
        if (!psog_lies_inside(image_bytes, parts[i]))
            return false;
    return true;
}

/* What a layer takes, and what it leaves to the next. */
struct shape {
    uint8_t rows, columns;
    uint16_t channels;
    int8_t zero;
};

/* Checks layer `index` against what the layer before left, and says what this one leaves.
 * largest: grows to the layer's input and output together. */
static bool valid_layer(const struct psog_model *model, uint32_t index, struct shape *shape,
                        uint32_t *largest)
{
    const uint8_t *entry = model->layers + PSOG_LAYER_BYTES * index;
    struct psog_layer layer = psog_layer_shape(entry);
    if (layer.rows != shape->rows || layer.columns != shape->columns ||
        layer.in_channels != shape->channels || layer.in_zero != shape->zero || layer.out_channels == 0 ||
        layer.low > layer.high || !psog_all_zero(entry + PSOG_LAYER_PACKING_AT + 1u, 3) ||
        !valid_kind(&layer) || !valid_packing(&layer) || model->paired == psog_packs_plain(layer.packing))
        return false;
    /* Both are below 2^32 (255 · 255 · 65535), and bounded before any product with them is taken. */
    uint32_t inputs = psog_layer_inputs(&layer);
    uint32_t outputs = psog_layer_outputs(&layer);
    if (inputs > PSOG_MAX_ACTIVATION_BYTES || outputs > PSOG_MAX_ACTIVATION_BYTES - inputs)
        return false;
    uint32_t needed = activation_bytes(&layer);
    if (needed > *largest)
        *largest = needed;
    *shape = (struct shape){layer.out_rows, layer.out_columns, layer.out_channels, layer.out_zero};
    return valid_arrays(model->image_bytes, entry, &layer);
}

bool psog_valid_layers(const struct psog_model *model)
{
    const uint8_t *image = model->image;
    struct shape shape = {image[34], image[35], model->planes, (int8_t)image[41]};
    uint32_t largest = 0;
    if (model->planes < 1 || model->planes > 2 ||
        (model->planes == 2 && model->normalisation_shift <= PSOG_RESIDUAL_BITS))
        return false;
    for (uint32_t index = 0; index < model->layer_count; index++)
        if (!valid_layer(model, index, &shape, &largest))
            return false;
    struct psog_layer last = psog_layer_decode(model, model->layer_count - 1u);
    return last.kind == PSOG_DENSE && last.out_channels == model->features &&
           last.out_zero == model->feature_zero && largest == model->activation_bytes &&
           largest <= PSOG_MAX_ACTIVATION_BYTES;
}

static bool valid_values(const struct psog_layer *layer, const uint8_t *end)
{
    if (psog_is_plain(layer))
        return valid_plain_requantization(layer);
    return valid_paired_requantization(layer) &&
           (layer->packing != PSOG_SPARSE ||
            psog_valid_sparse(layer, (uint32_t)(end - (const uint8_t *)layer->weights)));
}

bool psog_valid_layer_values(const struct psog_model *model)
{
    for (uint32_t index = 0; index < model->layer_count; index++) {
        struct psog_layer layer = psog_layer_decode(model, index);
        if (!valid_values(&layer, model->image + model->image_bytes - PSOG_IMAGE_CRC_BYTES))
            return false;
    }
    return true;
}
