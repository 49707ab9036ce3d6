/* The model image behind its signature: every field may lie. What is accepted is run, told and calibrated, in
 * buffers of exactly the size that it asks for. Without its values it is taken for the same. */
#include "fuzz.h"
#include "image.h"
#include "psog.h"

#define LONGEST 4096u
#define TARGETS 3u
#define PER_TARGET 3u

/* The same readings for the same image, whatever the rest of the program does. */
static void readings_of(const struct psog_model *model, uint32_t index, uint16_t readings[PSOG_MAX_SENSORS])
{
    for (uint32_t sensor = 0; sensor < model->sensors; sensor++)
        readings[sensor] = (uint16_t)((index * 64u + sensor + 1u) * 40503u); /* Knuth's multiplier */
}

static void calibrate(const struct psog_model *model, uint32_t *activations)
{
    static uint8_t kept[TARGETS * PSOG_MAX_TARGET_BYTES];
    static float rows[PSOG_ROWS_FLOATS(PSOG_MAX_FEATURES)], numbers[PSOG_MAX_NUMBERS];
    static int32_t biases[PSOG_MAX_BIASES];
    int8_t features[PSOG_MAX_FEATURES];
    uint16_t readings[PSOG_MAX_SENSORS];
    struct psog_samples samples;
    struct psog_fit fit;
    psog_samples_begin(&samples, model, kept, sizeof kept);
    for (uint32_t target = 0; target < TARGETS; target++) {
        const float target_deg[2] = {target == 1 ? model->field_deg[0] : 0,
                                     target == 2 ? model->field_deg[1] : 0};
        MUST(psog_samples_target(&samples, target_deg, PER_TARGET) == PSOG_OK);
        for (uint32_t i = 0; i < PER_TARGET; i++) {
            readings_of(model, target * PER_TARGET + i, readings);
            (void)psog_infer(model, NULL, readings, activations, model->activation_bytes, features);
            psog_samples_add(&samples, readings, features, NULL);
        }
    }
    size_t size = psog_work_bytes(model);
    MUST(size <= PSOG_MAX_WORK_BYTES);
    void *work = malloc(size);
    const struct psog_user user = {rows, numbers, biases};
    enum psog_error error = psog_samples_solve(&samples, work, size, &user, &fit);
    if (error == PSOG_OK) {
        for (uint32_t i = 0; i < PSOG_ROWS_FLOATS(model->features); i++)
            MUST(psog_is_finite(rows[i]));
        if (model->numbers > 0)
            (void)psog_infer(model, biases, readings, activations, model->activation_bytes, features);
    }
    free(work);
}

static void use(const struct psog_model *model)
{
    uint16_t readings[PSOG_MAX_SENSORS];
    int8_t *features = malloc(model->features);
    uint32_t *activations = malloc(model->activation_bytes);
    float output[PSOG_OUTPUTS];
    (void)psog_model_self_test(model, activations, model->activation_bytes);
    readings_of(model, 0, readings);
    MUST(psog_infer(model, NULL, readings, activations, model->activation_bytes, features) == PSOG_OK);
    MUST(psog_infer(model, NULL, readings, activations, model->activation_bytes - 1u, features) ==
         PSOG_ERR_LENGTH);
    psog_head_apply(model, NULL, features, output);
    MUST(psog_model_headset(model)[15] == 0);
    if (model->crc32 % 8u == 0) /* takes ten times as long as the rest */
        calibrate(model, activations);
    free(activations);
    free(features);
}

void fuzz_image(const uint8_t *data, size_t size)
{
    struct psog_model model, by_shapes;
    if (size > LONGEST)
        size = LONGEST;
    uint32_t shift = size > 0 && data[size - 1u] % 16u == 15u ? 1 : 0; /* an address that is refused */
    uint8_t *place = malloc(size + shift);
    uint8_t *image = place + shift;
    memcpy(image, data, size);
    if (size >= 16u && image[size - 1u] % 16u != 0) { /* mostly as long as it says, with its checksum */
        psog_put_u32(image + 8, (uint32_t)size);
        psog_put_u32(image + size - 4u, psog_crc32(0, image, size - 4u));
    }
    enum psog_error error = psog_model_open(&model, image, size);
    enum psog_error shapes = psog_model_open_as(&by_shapes, image, size, PSOG_VALUES_CHECKED);
    MUST(shapes == error || (shapes == PSOG_OK && error == PSOG_ERR_IMAGE));
    MUST(error != PSOG_OK || shift == 0);
    if (error == PSOG_OK)
        MUST(by_shapes.activation_bytes == model.activation_bytes && by_shapes.biases == model.biases &&
             by_shapes.embedding == model.embedding && by_shapes.paired == model.paired);
    if (error == PSOG_OK)
        use(&model);
    else
        MUST(error == PSOG_ERR_CRC || error == PSOG_ERR_IMAGE || error == PSOG_ERR_CORE);
    free(place);
}
