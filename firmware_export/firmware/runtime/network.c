/* Inference: normalisation, layout, layers. Arithmetic is psog/net/arithmetic.py's, to the bit. */
#include "network.h"

#include "bytes.h"
#include "layer.h"

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

/* The layers on an input that lies at the start of the activations. */
static void run_layers(const struct psog_model *model, const int32_t *biases, int8_t *activations,
                       int8_t *features)
{
    int8_t *end = activations + model->activation_bytes;
    int8_t *input = activations;
    /* Inputs and outputs take turns at the two ends of the buffer: one layer's always fit side by side. */
    for (uint32_t index = 0; index < model->layer_count; index++) {
        struct psog_layer layer = psog_layer_decode(model, index);
        bool last = index + 1u == model->layer_count;
        int8_t *far_end = input == activations ? end - psog_layer_outputs(&layer) : activations;
        int8_t *output = last ? features : far_end;
        if (biases) {
            layer.biases = (const uint8_t *)biases;
            biases += layer.out_channels;
        }
        if (layer.kind == PSOG_DENSE)
            psog_dense(&layer, input, output);
        else
            psog_convolve(&layer, input, output);
        input = output;
    }
}

enum psog_error psog_infer_inputs(const struct psog_model *model, const int32_t *biases, const int8_t *inputs,
                                  int8_t *activations, size_t activation_bytes, int8_t *features)
{
    if (activation_bytes < model->activation_bytes)
        return PSOG_ERR_LENGTH;
    for (uint32_t cell = 0; cell < model->cells; cell++)
        memcpy(activations + cell * model->planes, inputs + model->layout[cell] * model->planes,
               model->planes);
    run_layers(model, biases, activations, features);
    return PSOG_OK;
}

enum psog_error psog_infer(const struct psog_model *model, const int32_t *biases, const uint16_t *readings,
                           int8_t *activations, size_t activation_bytes, int8_t *features)
{
    if (activation_bytes < model->activation_bytes)
        return PSOG_ERR_LENGTH;
    for (uint32_t cell = 0; cell < model->cells; cell++) {
        uint8_t sensor = model->layout[cell];
        normalise(model, sensor, readings[sensor], activations + cell * model->planes);
    }
    run_layers(model, biases, activations, features);
    return PSOG_OK;
}
