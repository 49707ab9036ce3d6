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
#define SELF_TEST_TOLERANCE 1e-3f

static bool finite_positive(const uint8_t *at)
{
    float value = psog_get_f32(at);
    return psog_is_finite(value) && value > 0.0f;
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
    if (model->numbers == 0)
        return true;
    for (uint32_t index = 0; index < model->layer_count; index++)
        biases += psog_layer_decode(model, index).out_channels;
    if (biases > PSOG_MAX_BIASES)
        return false;
    model->biases = (uint16_t)biases;
    const struct psog_part part = {(uint32_t)(model->embedding - model->image),
                                   4u * embedding_floats(model) + biases * model->numbers};
    return psog_lies_inside(model->image_bytes, part);
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
        (model->numbers > 0 && !all_finite(model->embedding, embedding_floats(model))))
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

static bool valid_header(const uint8_t *image)
{
    uint32_t cells = (uint32_t)image[34] * image[35];
    uint16_t sensors = psog_get_u16(image + 32);
    uint16_t features = psog_get_u16(image + 38);
    return psog_get_u16(image + 4) == FORMAT_VERSION && psog_get_u16(image + 6) == PSOG_IMAGE_HEADER_BYTES &&
           valid_name(image + 16) && sensors >= 1 && sensors <= PSOG_MAX_SENSORS && image[34] >= 1 &&
           image[34] <= 16 && image[35] >= 1 && image[35] <= 32 && cells <= 255 && image[36] >= 1 &&
           image[36] <= PSOG_MAX_LAYERS && image[37] == PSOG_OUTPUTS && features >= 1 &&
           features <= PSOG_MAX_FEATURES && image[40] >= 1 && image[40] <= 30 &&
           finite_positive(image + 64) && finite_positive(image + 72) &&
           psog_get_u32(image + 76) <= PSOG_MAX_ACTIVATION_BYTES && finite_positive(image + 80) &&
           finite_positive(image + 84) && all_finite(image + 88, 1) && valid_embedding_header(image);
}

/* Whether the parts that the header names lie inside the image. */
static bool valid_parts(const uint8_t *image, uint32_t image_bytes)
{
    uint32_t sensors = psog_get_u16(image + 32);
    uint32_t features = psog_get_u16(image + 38);
    const struct psog_part parts[] = {
        {psog_get_u32(image + 44), 8u * sensors},
        {psog_get_u32(image + 48), (uint32_t)image[34] * image[35]},
        {psog_get_u32(image + 52), PSOG_LAYER_BYTES * image[36]},
        {psog_get_u32(image + 56), 4u * PSOG_HEAD_FLOATS(features)},
        {psog_get_u32(image + 60), round_up_4(2u * sensors) + round_up_4(features) + 4u * PSOG_OUTPUTS},
    };
    for (uint32_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!psog_lies_inside(image_bytes, parts[i]))
            return false;
    return true;
}

static struct psog_model read_header(const uint8_t *image, uint32_t image_bytes)
{
    return (struct psog_model){
        .image = image,
        .normalisation = psog_own_normalisation(image),
        .layout = image + psog_get_u32(image + 48),
        .layers = image + psog_get_u32(image + 52),
        .head = image + psog_get_u32(image + 56),
        .test_vector = image + psog_get_u32(image + 60),
        .embedding = image + psog_get_u32(image + 92),
        .image_bytes = image_bytes,
        .crc32 = psog_get_u32(image + image_bytes - PSOG_IMAGE_CRC_BYTES),
        .activation_bytes = psog_get_u32(image + 76),
        .feature_scale = psog_get_f32(image + 64),
        .feature_zero = psog_get_i32(image + 68),
        .ridge = psog_get_f32(image + 72),
        .calibration_ln = psog_get_f32(image + 88),
        .field_deg = {psog_get_f32(image + 80), psog_get_f32(image + 84)},
        .sensors = psog_get_u16(image + 32),
        .features = psog_get_u16(image + 38),
        .cells = (uint16_t)(image[34] * image[35]),
        .input_zero = (int8_t)image[41],
        .numbers = image[42],
        .planes = psog_get_u16(image + psog_get_u32(image + 52) + 4), /* the first layer's channels */
        .layer_count = image[36],
        .normalisation_shift = image[40],
        .paired = !psog_packs_plain(image[psog_get_u32(image + 52) + PSOG_LAYER_PACKING_AT]),
    };
}

enum psog_error psog_model_open_as(struct psog_model *model, const uint8_t *image, size_t size,
                                   enum psog_known known)
{
    if (size < PSOG_IMAGE_HEADER_BYTES + PSOG_IMAGE_CRC_BYTES || size > PSOG_MAX_IMAGE_BYTES)
        return PSOG_ERR_IMAGE;
    uint32_t image_bytes = psog_get_u32(image + 8);
    if (memcmp(image, "PSOG", 4) != 0 || image_bytes != size || image_bytes % 4u != 0 ||
        (uintptr_t)image % 4u != 0)
        return PSOG_ERR_IMAGE;
    uint32_t content_bytes = image_bytes - PSOG_IMAGE_CRC_BYTES;
    if (psog_crc32(0, image, content_bytes) != psog_get_u32(image + content_bytes))
        return PSOG_ERR_CRC;
    if (!valid_header(image) || !valid_parts(image, image_bytes))
        return PSOG_ERR_IMAGE;
    struct psog_model found = read_header(image, image_bytes);
    if ((found.paired && !PSOG_RUNS_PAIRED) || (!found.paired && !PSOG_RUNS_PLAIN))
        return PSOG_ERR_CORE;
    if (!psog_valid_layers(&found) || !valid_embedding(&found))
        return PSOG_ERR_IMAGE;
    if (known != PSOG_VALUES_CHECKED && !valid_values(&found))
        return PSOG_ERR_IMAGE;
    *model = found;
    return PSOG_OK;
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
