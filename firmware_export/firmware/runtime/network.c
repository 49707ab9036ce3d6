/* Inference: normalisation, layout, layers. Arithmetic is psog/net/arithmetic.py's, to the bit. */
#include "network.h"

#include "bytes.h"
#include "layer.h"

#ifndef __ARM_FEATURE_MVE /* ends_mve.c */
/* x / 2^times rounded half up, times at least 1. */
static int32_t halved(int32_t x, uint32_t times)
{
    return (x + ((int32_t)1 << (times - 1u))) >> times;
}

static int8_t clipped(int32_t x)
{
    return (int8_t)(x < -128 ? -128 : x > 127 ? 127 : x);
}

/* One reading, left-aligned to 16 bits, to what the network's input has of it: model->planes values.
 * |product| < 2^30 by the image's checks. */
static void normalise(const struct psog_model *model, uint32_t sensor, uint16_t reading, int8_t *planes)
{
    const uint8_t *entry = model->normalisation + 8u * sensor;
    int32_t product = (reading - psog_get_i32(entry)) * psog_get_i32(entry + 4);
    if (model->planes == 1) {
        planes[0] = clipped(halved(product, model->normalisation_shift));
        return;
    }
    int32_t fine = halved(product, model->normalisation_shift - PSOG_RESIDUAL_BITS);
    planes[0] = clipped(halved(fine, PSOG_RESIDUAL_BITS));
    planes[1] = clipped(fine - planes[0] * (1 << PSOG_RESIDUAL_BITS));
}

void psog_normalise(const struct psog_model *model, const uint16_t *readings, int8_t *inputs)
{
    for (uint32_t sensor = 0; sensor < model->sensors; sensor++)
        normalise(model, sensor, readings[sensor], inputs + sensor * model->planes);
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
static void place_plain(const struct psog_model *model, const int8_t *inputs, int8_t *activations)
{
    for (uint32_t cell = 0; cell < model->cells; cell++)
        for (uint32_t plane = 0; plane < model->planes; plane++)
            activations[cell * model->planes + plane] = inputs[model->layout[cell] * model->planes + plane];
}

/* Inputs and outputs take turns at the two ends of the buffer: one layer's always fit side by side. */
static void run_plain(const struct psog_model *model, const int32_t *biases, int8_t *activations,
                      int8_t *features)
{
    int8_t *end = activations + model->activation_bytes;
    int8_t *input = activations;
    for (uint32_t index = 0; index < model->layer_count; index++) {
        struct psog_layer layer = psog_layer_decode(model, index);
        use_biases(&layer, &biases);
        bool last = index + 1u == model->layer_count;
        int8_t *far_end = input == activations ? end - psog_layer_outputs(&layer) : activations;
        int8_t *output = last ? features : far_end;
        if (layer.kind == PSOG_DENSE)
            psog_dense(&layer, input, output);
        else
            psog_convolve(&layer, input, output);
        input = output;
    }
}
#endif

#if PSOG_RUNS_PAIRED
static void place_paired(const struct psog_model *model, const int8_t *inputs, int16_t *activations)
{
    /* A cell takes a word, even half used; but a dense layer's single channels pair up. */
    const uint32_t cells = model->cells, planes = model->planes;
    const int32_t zero = model->input_zero;
    const uint32_t halves_of_cell = planes == 1 && model->layers[0] == PSOG_DENSE ? 1 : 2;
    for (uint32_t cell = 0; cell < cells; cell++, activations += halves_of_cell) {
        const int8_t *of_sensor = inputs + model->layout[cell] * planes;
        /* NOLINTNEXTLINE(clang-analyzer-core.*): image.c has checked that the layout's sensors are there */
        activations[0] = (int16_t)(of_sensor[0] - zero);
        if (planes > 1)
            activations[1] = (int16_t)(of_sensor[1] - zero);
    }
}

/* The same, but a convolution's output follows on the heels of its input. */
static void run_paired(const struct psog_model *model, const int32_t *biases, uint32_t *activations,
                       int8_t *features)
{
    uint32_t *end = activations + model->activation_bytes / 4u;
    uint32_t *input = activations;
    for (uint32_t index = 0; index < model->layer_count; index++) {
        struct psog_layer layer = psog_layer_decode(model, index);
        use_biases(&layer, &biases);
        bool at_start = input == activations;
        uint32_t *output = at_start ? end - psog_paired_outputs(&layer) : activations;
        if (layer.kind == PSOG_DENSE)
            psog_dense_paired(&layer, input, output);
        else
            psog_convolve_paired(&layer, input, output, at_start);
        input = output;
    }
    const int16_t *halves = (const int16_t *)input;
    for (const int8_t *end_of_features = features + model->features; features < end_of_features;)
        *features++ = (int8_t)(*halves++ + PSOG_PAIRED_ZERO);
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
        place_plain(model, inputs, (int8_t *)activations);
#endif
}

static void run(const struct psog_model *model, const int32_t *biases, uint32_t *activations,
                int8_t *features)
{
#if PSOG_RUNS_PAIRED
    if (model->paired)
        run_paired(model, biases, activations, features);
#endif
#if PSOG_RUNS_PLAIN
    if (!model->paired)
        run_plain(model, biases, (int8_t *)activations, features);
#endif
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
    run(model, biases, activations, features);
    return PSOG_OK;
}

enum psog_error psog_infer(const struct psog_model *model, const int32_t *biases, const uint16_t *readings,
                           uint32_t *activations, size_t activation_bytes, int8_t *features)
{
    if (activation_bytes < model->activation_bytes)
        return PSOG_ERR_LENGTH;
    place_readings(model, readings, activations);
    run(model, biases, activations, features);
    return PSOG_OK;
}
