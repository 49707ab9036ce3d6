/* The model image: everything is checked here, once, so that the rest may trust it. docs/SPEC.md.
 *
 * First the shapes, with a few steps for each layer: the header, where arrays lie, what layers pass on. Then
 * the values in the arrays, every one of them: not again at the start of a model that has been committed. */
#pragma GCC optimize("Os") /* runs once for a model */

#include "image.h"

#include "bytes.h"
#include "layer.h"

#define NAME_BYTES 16u
#define FORMAT_VERSION 4u
#define MAGIC 0x474F5350u /* PSOG */
#define MOST_CELLS 255u
#define INFINITE 0x7F800000u
#define SELF_TEST_TOLERANCE 1e-3f

/* By the bits: they are in the order of the values, from the smallest one behind 0 to infinity. */
static bool finite_positive(const uint8_t *at)
{
    return psog_get_u32(at) - 1u < INFINITE - 1u;
}

static bool all_finite(const uint8_t *at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!psog_is_finite(psog_get_f32(at + 4u * i)))
            return false;
    return true;
}

/* Printable, not empty, zero padded, closed by at least one zero. */
static bool valid_name(const uint8_t *name)
{
    uint32_t length = 0;
    while (length < NAME_BYTES && name[length] > ' ' && name[length] <= '~')
        length++;
    return length > 0 && length < NAME_BYTES && psog_all_zero(name + length, NAME_BYTES - length);
}

bool psog_lies_inside(const uint8_t *image, const uint8_t *place, uint32_t size)
{
    uint32_t offset = psog_get_u32(place);
    uint32_t end = psog_get_u32(image + 8) - PSOG_IMAGE_CRC_BYTES;
    return offset % 4u == 0 && offset >= PSOG_IMAGE_HEADER_BYTES && offset <= end && size <= end - offset;
}

static uint32_t round_up_4(uint32_t size)
{
    return (size + 3u) & ~3u;
}

static uint32_t embedding_floats(const struct psog_model *model)
{
    return model->numbers + model->numbers * PSOG_STATISTICS * model->sensors + model->biases;
}

/* Where the arrays of the user embedding lie; finds how many biases it shifts. */
static bool valid_embedding(struct psog_model *model)
{
    uint32_t biases = 0;
    if (!PSOG_HAS_EMBEDDING || model->numbers == 0)
        return true;
    for (uint32_t index = 0; index < model->layer_count; index++)
        biases += psog_layer_decode(model, index).out_channels;
    if (biases > PSOG_MAX_BIASES)
        return false;
    model->biases = (uint16_t)biases;
    return psog_lies_inside(model->image, model->image + 92,
                            4u * embedding_floats(model) + biases * model->numbers);
}

bool psog_valid_normalisation(const uint8_t *normalisation, uint32_t sensors)
{
    for (uint32_t sensor = 0; sensor < sensors; sensor++) {
        int32_t offset = psog_get_i32(normalisation + 8u * sensor);
        int32_t multiplier = psog_get_i32(normalisation + 8u * sensor + 4u);
        if (offset < 0 || offset > 65535 || multiplier < 1 || multiplier > 16383)
            return false;
    }
    return true;
}

/* Everything in the arrays. */
static bool valid_values(const struct psog_model *model)
{
    if (!psog_valid_layer_values(model) ||
        !psog_valid_normalisation(model->normalisation, model->sensors) ||
        (PSOG_HAS_EMBEDDING && model->numbers > 0 && !all_finite(model->embedding, embedding_floats(model))))
        return false;
    for (uint32_t cell = 0; cell < model->cells; cell++)
        if (model->layout[cell] >= model->sensors)
            return false;
    const uint8_t *outputs =
        model->test_vector + round_up_4(2u * model->sensors) + round_up_4(model->features);
    return all_finite(model->head, PSOG_HEAD_FLOATS(model->features)) && all_finite(outputs, PSOG_OUTPUTS);
}

/* Numbers, statistics and place of the user embedding: all three, or none. */
static bool valid_embedding_header(const uint8_t *image)
{
    if (image[42] == 0)
        return image[43] == 0 && psog_get_u32(image + 92) == 0;
    return image[42] <= PSOG_MAX_NUMBERS && image[43] == PSOG_STATISTICS;
}

/* Fields of the header that are numbers between two limits; `bytes` of them are 1 or 2. */
static const struct {
    uint8_t at, bytes;
    uint16_t low, high;
} LIMITS[] = {
    {4, 2, FORMAT_VERSION, FORMAT_VERSION},
    {6, 2, PSOG_IMAGE_HEADER_BYTES, PSOG_IMAGE_HEADER_BYTES},
    {32, 2, 1, PSOG_MAX_SENSORS},
    {34, 1, 1, 16}, /* rows */
    {35, 1, 1, 32}, /* columns */
    {36, 1, 1, PSOG_MAX_LAYERS},
    {37, 1, PSOG_OUTPUTS, PSOG_OUTPUTS},
    {38, 2, 1, PSOG_MAX_FEATURES},
    {40, 1, 1, 30}, /* shift of the normalisation */
};

static bool valid_header(const uint8_t *image)
{
    if (!valid_name(image + 16))
        return false;
    for (uint32_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++) {
        const uint8_t *field = image + LIMITS[i].at;
        uint32_t value = LIMITS[i].bytes == 1 ? field[0] : psog_get_u16(field);
        if (value < LIMITS[i].low || value > LIMITS[i].high)
            return false;
    }
    return (uint32_t)image[34] * image[35] <= MOST_CELLS &&
           psog_get_u32(image + 76) <= PSOG_MAX_ACTIVATION_BYTES && finite_positive(image + 64) &&
           finite_positive(image + 72) && finite_positive(image + 80) && finite_positive(image + 84) &&
           all_finite(image + 88, 1) && valid_embedding_header(image);
}

/* Whether the parts that the header names lie inside the image. */
static bool valid_parts(const uint8_t *image)
{
    uint32_t sensors = psog_get_u16(image + 32);
    uint32_t features = psog_get_u16(image + 38);
    const uint32_t sizes[] = {
        8u * sensors,
        (uint32_t)image[34] * image[35],
        PSOG_LAYER_BYTES * image[36],
        4u * PSOG_HEAD_FLOATS(features),
        round_up_4(2u * sensors) + round_up_4(features) + 4u * PSOG_OUTPUTS,
    };
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (!psog_lies_inside(image, image + 44 + 4u * i, sizes[i]))
            return false;
    return true;
}

static void read_header(struct psog_model *model, const uint8_t *image)
{
    const uint8_t *layers = image + psog_get_u32(image + 52);
    model->image = image;
    model->normalisation = psog_own_normalisation(image);
    model->layout = image + psog_get_u32(image + 48);
    model->layers = layers;
    model->head = image + psog_get_u32(image + 56);
    model->test_vector = image + psog_get_u32(image + 60);
    model->embedding = image + psog_get_u32(image + 92);
    model->image_bytes = psog_get_u32(image + 8);
    model->crc32 = psog_get_u32(image + model->image_bytes - PSOG_IMAGE_CRC_BYTES);
    model->activation_bytes = psog_get_u32(image + 76);
    model->feature_scale = psog_get_f32(image + 64);
    model->feature_zero = psog_get_i32(image + 68);
    model->ridge = psog_get_f32(image + 72);
    model->calibration_ln = psog_get_f32(image + 88);
    model->field_deg[0] = psog_get_f32(image + 80);
    model->field_deg[1] = psog_get_f32(image + 84);
    const uint8_t *counts = image + 32;
    model->sensors = psog_get_u16(counts);
    model->features = psog_get_u16(counts + 6);
    model->cells = (uint16_t)(counts[2] * counts[3]);
    model->planes = psog_get_u16(layers + 4); /* the first layer's channels */
    model->biases = 0;
    model->input_zero = (int8_t)counts[9];
    model->numbers = counts[10];
    model->layer_count = counts[4];
    model->normalisation_shift = counts[8];
    model->paired = !psog_packs_plain(layers[PSOG_LAYER_PACKING_AT]);
}

enum psog_error psog_model_open_as(struct psog_model *model, const uint8_t *image, size_t size,
                                   enum psog_known known)
{
    if (size < PSOG_IMAGE_HEADER_BYTES + PSOG_IMAGE_CRC_BYTES || size > PSOG_MAX_IMAGE_BYTES ||
        (size | (uintptr_t)image) % 4u != 0 || psog_get_u32(image) != MAGIC ||
        psog_get_u32(image + 8) != size)
        return PSOG_ERR_IMAGE;
    size_t content_bytes = size - PSOG_IMAGE_CRC_BYTES;
    if (psog_crc32(0, image, content_bytes) != psog_get_u32(image + content_bytes))
        return PSOG_ERR_CRC;
    if (!valid_header(image) || !valid_parts(image))
        return PSOG_ERR_IMAGE;
    read_header(model, image);
    if (model->paired ? !PSOG_RUNS_PAIRED : !PSOG_RUNS_PLAIN)
        return PSOG_ERR_CORE;
    if (!PSOG_HAS_EMBEDDING && model->numbers > 0)
        return PSOG_ERR_LEAN;
    enum psog_error error = psog_check_layers(model);
    if (error != PSOG_OK)
        return error;
    bool valid = valid_embedding(model) && (known == PSOG_VALUES_CHECKED || valid_values(model));
    return valid ? PSOG_OK : PSOG_ERR_IMAGE;
}

enum psog_error psog_model_open(struct psog_model *model, const uint8_t *image, size_t size)
{
    return psog_model_open_as(model, image, size, PSOG_UNKNOWN);
}

bool psog_prefers_paired(void)
{
    return !PSOG_RUNS_PLAIN;
}

const uint8_t *psog_model_headset(const struct psog_model *model)
{
    return model->image + 16;
}

uint32_t psog_model_version(const struct psog_model *model)
{
    return psog_get_u32(model->image + 12);
}

enum psog_error psog_model_self_test(const struct psog_model *model, uint32_t *activations, size_t size)
{
    uint16_t readings[PSOG_MAX_SENSORS];
    int8_t features[PSOG_MAX_FEATURES];
    for (uint32_t sensor = 0; sensor < model->sensors; sensor++)
        readings[sensor] = psog_get_u16(model->test_vector + 2u * sensor);
    enum psog_error error = psog_infer(model, NULL, readings, activations, size, features);
    if (error != PSOG_OK)
        return error;
    const uint8_t *expected = model->test_vector + round_up_4(2u * model->sensors);
    if (memcmp(features, expected, model->features) != 0)
        return PSOG_ERR_SELF_TEST;
    expected += round_up_4(model->features);
    float output[PSOG_OUTPUTS];
    psog_head_apply(model, NULL, features, output);
    for (uint32_t i = 0; i < PSOG_OUTPUTS; i++) {
        float difference = output[i] - psog_get_f32(expected + 4u * i);
        if (!(difference <= SELF_TEST_TOLERANCE && difference >= -SELF_TEST_TOLERANCE))
            return PSOG_ERR_SELF_TEST;
    }
    return PSOG_OK;
}
