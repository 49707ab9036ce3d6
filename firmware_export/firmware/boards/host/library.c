/* The runtime as a shared library: whole arrays at once, for psog.firmware_export.host_runtime. */
#include "psog.h"

/* readings: (count, sensors). features: (count, features). outputs: (count, PSOG_OUTPUTS), or NULL. */
enum psog_error psog_host_infer(const uint8_t *image, size_t image_bytes, const uint16_t *readings,
                                size_t count, int8_t *features, float *outputs)
{
    struct psog_model model;
    int8_t activations[PSOG_MAX_ACTIVATION_BYTES];
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    for (size_t i = 0; error == PSOG_OK && i < count; i++) {
        error = psog_infer(&model, readings, activations, sizeof activations, features);
        if (error == PSOG_OK && outputs)
            psog_head_apply(&model, NULL, features, outputs + i * PSOG_OUTPUTS);
        readings += model.sensors;
        features += model.features;
    }
    return error;
}

/* Opens the image and runs its self-test. */
enum psog_error psog_host_check(const uint8_t *image, size_t image_bytes)
{
    struct psog_model model;
    int8_t activations[PSOG_MAX_ACTIVATION_BYTES];
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    return error != PSOG_OK ? error : psog_model_self_test(&model, activations, sizeof activations);
}

/* features: (count, features). targets: (count, 2) degrees. head: PSOG_HEAD_FLOATS(features). */
enum psog_error psog_host_fit(const uint8_t *image, size_t image_bytes, const int8_t *features,
                              const float *targets, size_t count, float *head, struct psog_fit *fit)
{
    struct psog_model model;
    struct psog_tune tune;
    float work[PSOG_MAX_TUNE_FLOATS];
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    if (error == PSOG_OK)
        error = psog_tune_begin(&tune, &model, work, PSOG_MAX_TUNE_FLOATS);
    for (size_t i = 0; error == PSOG_OK && i < count; i++)
        error = psog_tune_add(&tune, features + i * model.features, targets + 2u * i);
    return error != PSOG_OK ? error : psog_tune_solve(&tune, head, fit);
}
