/* The layers of an image: kinds, packings, shapes that fit, arrays inside the image, values in range. */
#pragma GCC optimize("Os") /* runs once for a model */

#include "image.h"

#include "layer.h"

static bool valid_kind(const struct psog_layer *layer)
{
    if (layer->kind == PSOG_DENSE)
        return layer->padding == PSOG_VALID;
    if (layer->kind != PSOG_CONVOLUTION || layer->padding > PSOG_SAME)
        return false;
    return layer->padding == PSOG_SAME || (layer->rows >= 3 && layer->columns >= 3);
}

/* Whether this build has code for a layer of a valid kind. */
static bool held(const struct psog_layer *layer)
{
    bool dense = layer->kind == PSOG_DENSE;
    uint32_t packings = dense ? PSOG_DENSE_LAYERS : PSOG_CONVOLUTIONS;
    return (packings >> layer->packing) % 2u != 0 &&
           (PSOG_CONVOLUTIONS == 0 || dense || psog_holds_tiles(layer));
}

/* Paired kernels know one activation alone, and take int8 weights of convolutions six pairs at a time. */
static bool valid_for_kernels(const struct psog_layer *layer)
{
    if (psog_is_plain(layer))
        return true;
    bool whole = !psog_packs(layer->packing, PSOG_PAIRED_8) || psog_pairs(layer->in_channels) % 2u == 0;
    return (psog_is_dense(layer) || (whole && layer->out_channels > 1)) &&
           layer->out_zero == PSOG_PAIRED_ZERO && layer->low == PSOG_PAIRED_ZERO && layer->high == 127;
}

/* Steps of the check are functions of their own: through a pointer a layer's members take the
 * shortest instructions, and all of this only runs once for a model. */
#define STEP __attribute__((noinline)) static

/* Whether a kernel that this build holds takes the layer. */
STEP enum psog_error check_kind(const struct psog_layer *layer)
{
    if (!valid_kind(layer))
        return PSOG_ERR_IMAGE;
    if (!held(layer))
        return PSOG_HOLDS_ALL ? PSOG_ERR_IMAGE : PSOG_ERR_LEAN;
    return valid_for_kernels(layer) ? PSOG_OK : PSOG_ERR_IMAGE;
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

static bool of_four_bits(const struct psog_layer *layer)
{
    return psog_packs(layer->packing, PSOG_PAIRED_4) || psog_packs(layer->packing, PSOG_PLAIN_4);
}

/* What the weights of one output take; sparse ones have a length of their own. */
static uint32_t output_weight_bytes(const struct psog_layer *layer)
{
    if (psog_packs(layer->packing, PSOG_PLAIN_4))
        return psog_plain4_row_bytes(psog_layer_inputs(layer));
    if (psog_is_plain(layer))
        return psog_is_dense(layer) ? psog_layer_inputs(layer) : PSOG_TAPS * layer->in_channels;
    uint32_t pairs =
        psog_is_dense(layer) ? psog_paired_inputs(layer) : PSOG_TAPS * psog_pairs(layer->in_channels);
    return pairs * PSOG_PAIR_BYTES(layer->packing);
}

static uint32_t weight_bytes(const struct psog_layer *layer)
{
    if (psog_packs(layer->packing, PSOG_SPARSE))
        return PSOG_SPARSE_HEADER_BYTES;
    return layer->out_channels * output_weight_bytes(layer) +
           (of_four_bits(layer) ? psog_factor_bytes(layer) : 0);
}

/* What a layer needs of activations, or more than there may be. */
STEP uint32_t activation_bytes(const struct psog_layer *layer)
{
    /* Both are below 2^32 (255 · 255 · 65535), and bounded before any product with them is taken. */
    uint32_t inputs = psog_layer_inputs(layer);
    uint32_t outputs = psog_layer_outputs(layer);
    if (inputs > PSOG_MAX_ACTIVATION_BYTES || outputs > PSOG_MAX_ACTIVATION_BYTES - inputs)
        return UINT32_MAX;
    if (psog_is_plain(layer))
        return inputs + outputs;
    return 4u * (psog_paired_inputs(layer) + psog_paired_lead(layer));
}

/* Whether every array of a layer lies inside the image; its shape has been checked before. */
STEP bool valid_arrays(const struct psog_layer *layer, const uint8_t *image, const uint8_t *entry)
{
    uint32_t out = layer->out_channels;
    bool plain = psog_is_plain(layer);
    if (!psog_lies_inside(image, entry + PSOG_LAYER_WEIGHTS_AT, weight_bytes(layer)) ||
        !psog_lies_inside(image, entry + PSOG_LAYER_BIASES_AT, 4u * out) ||
        !psog_lies_inside(image, entry + PSOG_LAYER_MULTIPLIERS_AT, (plain ? 4u : 8u) * out))
        return false;
    if (!plain) { /* these have no others */
        uint32_t others = psog_get_u32(entry + PSOG_LAYER_SHIFTS_AT);
        return (others | psog_get_u32(entry + PSOG_LAYER_CORRECTIONS_AT)) == 0;
    }
    return psog_lies_inside(image, entry + PSOG_LAYER_SHIFTS_AT, out) &&
           psog_lies_inside(image, entry + PSOG_LAYER_CORRECTIONS_AT, 4u * out);
}

/* What a layer takes, and what it leaves to the next. */
struct given {
    uint32_t size; /* rows, columns (a byte each) and channels, as an entry has them */
    uint8_t zero;
};

static uint32_t size_of(uint32_t rows, uint32_t columns, uint32_t channels)
{
    return rows | columns << 8 | channels << 16;
}

/* Whether an entry takes what is given, has outputs of some range, a packing that there is, and arrays that
 * begin inside the image; 0 is of those that a paired layer does not have. */
STEP bool fits(const uint8_t *entry, const struct given *given, uint32_t image_bytes)
{
    for (uint32_t at = PSOG_LAYER_WEIGHTS_AT; at <= PSOG_LAYER_CORRECTIONS_AT; at += 4u)
        if (psog_get_u32(entry + at) > image_bytes)
            return false;
    return psog_get_u32(entry + 2) == given->size && entry[8] == given->zero && psog_get_u16(entry + 6) > 0 &&
           (int8_t)entry[10] <= (int8_t)entry[11] &&
           psog_get_u32(entry + PSOG_LAYER_PACKING_AT) < PSOG_PACKINGS; /* and three bytes of 0 */
}

/* Checks a layer against what is given, which then is what it leaves.
 * largest: grows to the layer's input and output together. */
static enum psog_error check_layer(const struct psog_model *model, uint32_t index, struct given *given,
                                   uint32_t *largest)
{
    const bool both = PSOG_RUNS_PLAIN && PSOG_RUNS_PAIRED;
    const uint8_t *entry = model->layers + PSOG_LAYER_BYTES * index;
    if (!fits(entry, given, model->image_bytes))
        return PSOG_ERR_IMAGE;
    struct psog_layer layer = psog_layer_decode(model, index);
    enum psog_error error = check_kind(&layer);
    if (error != PSOG_OK)
        return error;
    if (both && model->paired == psog_packs_plain(layer.packing))
        return PSOG_ERR_IMAGE;
    uint32_t needed = activation_bytes(&layer);
    if (needed > model->activation_bytes)
        return PSOG_ERR_IMAGE;
    if (needed > *largest)
        *largest = needed;
    *given = (struct given){size_of(layer.out_rows, layer.out_columns, layer.out_channels), entry[9]};
    return valid_arrays(&layer, model->image, entry) ? PSOG_OK : PSOG_ERR_IMAGE;
}

enum psog_error psog_check_layers(const struct psog_model *model)
{
    const uint8_t *image = model->image;
    struct given given = {size_of(image[34], image[35], model->planes), image[41]};
    uint32_t largest = 0;
    if (model->planes < 1 || model->planes > PSOG_MAX_PLANES ||
        (model->planes == 2 && model->normalisation_shift <= PSOG_RESIDUAL_BITS))
        return PSOG_ERR_IMAGE;
    if (!PSOG_HAS_SECOND_PLANE && model->planes == 2)
        return PSOG_ERR_LEAN;
    for (uint32_t index = 0; index < model->layer_count; index++) {
        enum psog_error error = check_layer(model, index, &given, &largest);
        if (error != PSOG_OK)
            return error;
    }
    bool dense = model->layers[PSOG_LAYER_BYTES * (model->layer_count - 1u)] == PSOG_DENSE;
    return dense && given.size == size_of(1, 1, model->features) &&
                   (int8_t)given.zero == model->feature_zero && largest == model->activation_bytes
               ? PSOG_OK
               : PSOG_ERR_IMAGE;
}

static bool valid_values(const struct psog_layer *layer, const uint8_t *end)
{
    if (psog_is_plain(layer))
        return valid_plain_requantization(layer);
    return valid_paired_requantization(layer) &&
           (!psog_packs(layer->packing, PSOG_SPARSE) ||
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
