/* Inference: normalisation, layout, layers. Arithmetic is psog/net/arithmetic.py's, to the bit. */
#include "network.h"

#include "bytes.h"
#include "layer.h"

#ifndef __ARM_FEATURE_MVE /* ends_mve.c */
static int8_t clipped(int32_t x)
{
#ifdef __ARM_FEATURE_SAT /* compilers do not find it */
    int32_t saturated;
    __asm("ssat %0, #8, %1" : "=r"(saturated) : "r"(x));
    return (int8_t)saturated;
#else
    return (int8_t)(x < -128 ? -128 : x > 127 ? 127 : x);
#endif
}

/* One reading, less its offset and scaled, shifted and rounded half up. |product| < 2^30 by the image's
 * checks. */
static int32_t normalised(const uint8_t *entry, uint16_t reading, uint32_t shift)
{
    int32_t product = (reading - psog_get_i32(entry)) * psog_get_i32(entry + 4);
    return (product + ((int32_t)1 << (shift - 1u))) >> shift;
}

/* Readings, left-aligned to 16 bits, to what the network's input has of each: model->planes values. */
void psog_normalise(const struct psog_model *model, const uint16_t *readings, int8_t *inputs)
{
    const uint16_t *end = readings + model->sensors;
    const uint8_t *entry = model->normalisation;
    const uint32_t shift = model->normalisation_shift;
    if (!PSOG_HAS_SECOND_PLANE || model->planes == 1) {
        for (; readings < end; entry += 8)
            *inputs++ = clipped(normalised(entry, *readings++, shift));
        return;
    }
    for (; readings < end; entry += 8, inputs += 2) {
        int32_t fine = normalised(entry, *readings++, shift - PSOG_RESIDUAL_BITS);
        inputs[0] = clipped((fine + (1 << (PSOG_RESIDUAL_BITS - 1u))) >> PSOG_RESIDUAL_BITS);
        inputs[1] = clipped(fine - inputs[0] * (1 << PSOG_RESIDUAL_BITS));
    }
}
#endif

/* Gives a layer a user's biases where there are any; these move on to the next layer's. */
static void use_biases(struct psog_layer *layer, const int32_t **biases)
{
    if (*biases == NULL)
        return;
    layer->biases = (const uint8_t *)*biases;
    *biases += layer->out_channels;
}

#if PSOG_RUNS_PLAIN
#ifndef __ARM_FEATURE_MVE /* ends_mve.c */
void psog_place_plain(const struct psog_model *model, const int8_t *inputs, int8_t *activations)
{
    for (uint32_t cell = 0; cell < model->cells; cell++)
        for (uint32_t plane = 0; plane < model->planes; plane++)
            *activations++ = inputs[model->layout[cell] * model->planes + plane];
}
#endif

/* Inputs and outputs take turns at the two ends of the buffer: one layer's always fit side by side. */
static enum psog_error run_plain(const struct psog_model *model, const int32_t *biases, int8_t *activations,
                                 int8_t *features)
{
    int8_t *input = activations;
    for (uint32_t index = 0; index < model->layer_count; index++) {
        struct psog_layer layer = psog_layer_decode(model, index);
        use_biases(&layer, &biases);
        int8_t *output = activations;
        if (index + 1u == model->layer_count)
            output = features;
        else if (input == activations)
            output += model->activation_bytes - psog_layer_outputs(&layer);
        if (psog_is_dense(&layer))
            psog_dense(&layer, input, output);
        else
            psog_convolve(&layer, input, output);
        input = output;
    }
    return PSOG_OK;
}
#endif

#if PSOG_RUNS_PAIRED
static void place_paired(const struct psog_model *model, const int8_t *inputs, int16_t *activations)
{
    const int32_t zero = model->input_zero;
    const uint8_t *sensor = model->layout, *end = sensor + model->cells;
    /* NOLINTBEGIN(clang-analyzer-core.*): image.c has checked that the layout's sensors are there */
    if (PSOG_HAS_SECOND_PLANE && model->planes > 1) {
        for (; sensor < end; sensor++) {
            *activations++ = (int16_t)(inputs[2u * *sensor] - zero);
            *activations++ = (int16_t)(inputs[2u * *sensor + 1u] - zero);
        }
        return;
    }
    /* A cell takes a word, even half used; but a dense layer's single channels pair up. */
    const uint32_t halves_of_cell = model->layers[0] == PSOG_DENSE ? 1 : 2;
    for (; sensor < end; sensor++, activations += halves_of_cell)
        *activations = (int16_t)(inputs[*sensor] - zero);
    /* NOLINTEND(clang-analyzer-core.*) */
}

/* The last layer's outputs, 0 … 255, as features. Four of them at a time: bit 7 is what tells them apart. */
static void take_features(const uint32_t *outputs, uint32_t count, int8_t *features)
{
    for (; count >= 4u; count -= 4u, outputs += 2, features += 4) {
        uint32_t first = outputs[0], second = outputs[1];
        uint32_t four = ((first | first >> 8) & 0xFFFFu) | (second | second >> 8) << 16;
        psog_put_u32((uint8_t *)features, four ^ 0x80808080u);
    }
    for (const int16_t *halves = (const int16_t *)outputs; count > 0; count--)
        *features++ = (int8_t)(*halves++ + PSOG_PAIRED_ZERO);
}

/* The same, but a convolution's output follows on the heels of its input. */
static enum psog_error run_paired(const struct psog_model *model, const int32_t *biases,
                                  uint32_t *activations, int8_t *features)
{
    uint32_t *end = activations + model->activation_bytes / 4u;
    uint32_t *input = activations;
    for (uint32_t index = 0; index < model->layer_count; index++) {
        struct psog_layer layer = psog_layer_decode(model, index);
        use_biases(&layer, &biases);
        bool at_start = input == activations;
        uint32_t *output = at_start ? end - psog_paired_outputs(&layer) : activations;
        if (psog_is_dense(&layer))
            psog_dense_paired(&layer, input, output);
        else
            psog_convolve_paired(&layer, input, output, at_start);
        input = output;
    }
    take_features(input, model->features, features);
    return PSOG_OK;
}
#endif

/* Inputs to where the first layer expects them. */
static void place(const struct psog_model *model, const int8_t *inputs, uint32_t *activations)
{
#if PSOG_RUNS_PAIRED
    if (model->paired)
        place_paired(model, inputs, (int16_t *)activations);
#endif
#if PSOG_RUNS_PLAIN
    if (!model->paired)
        psog_place_plain(model, inputs, (int8_t *)activations);
#endif
}

/* Comes last in whoever calls it, when that has left the stack. */
static enum psog_error run(const struct psog_model *model, const int32_t *biases, uint32_t *activations,
                           int8_t *features)
{
#if PSOG_RUNS_PAIRED
    if (model->paired)
        return run_paired(model, biases, activations, features);
#endif
#if PSOG_RUNS_PLAIN
    if (!model->paired)
        return run_plain(model, biases, (int8_t *)activations, features);
#endif
    return PSOG_OK;
}

/* Apart from psog_infer, so that the inputs have left the stack when the layers run. */
__attribute__((noinline)) static void place_readings(const struct psog_model *model, const uint16_t *readings,
                                                     uint32_t *activations)
{
    int8_t inputs[PSOG_MAX_PLANES * PSOG_MAX_SENSORS];
    psog_normalise(model, readings, inputs);
    place(model, inputs, activations);
}

enum psog_error psog_infer_inputs(const struct psog_model *model, const int32_t *biases, const int8_t *inputs,
                                  uint32_t *activations, size_t activation_bytes, int8_t *features)
{
    if (activation_bytes < model->activation_bytes)
        return PSOG_ERR_LENGTH;
    place(model, inputs, activations);
    return run(model, biases, activations, features);
}

enum psog_error psog_infer(const struct psog_model *model, const int32_t *biases, const uint16_t *readings,
                           uint32_t *activations, size_t activation_bytes, int8_t *features)
{
    if (activation_bytes < model->activation_bytes)
        return PSOG_ERR_LENGTH;
    place_readings(model, readings, activations);
    return run(model, biases, activations, features);
}
