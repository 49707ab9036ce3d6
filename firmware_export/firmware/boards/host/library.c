/* The runtime as a shared library: whole arrays at once, for psog.firmware_export.host_runtime. */
#include "psog.h"

/* biases: of a user, or NULL. readings: (count, sensors). features: (count, features).
 * outputs: (count, PSOG_OUTPUTS), or NULL. */
enum psog_error psog_host_infer(const uint8_t *image, size_t image_bytes, const int32_t *biases,
                                const uint16_t *readings, size_t count, int8_t *features, float *outputs)
{
    struct psog_model model;
    int8_t activations[PSOG_MAX_ACTIVATION_BYTES];
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    for (size_t i = 0; error == PSOG_OK && i < count; i++) {
        error = psog_infer(&model, biases, readings, activations, sizeof activations, features);
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

/* Tells a network with a user embedding whose eye it sees, and fits its head.
 * readings: (targets, per_target, sensors), 1 … 65535 of each target. target_deg: (targets, 2).
 * bytes: size of them, for what is kept; PSOG_ERR_STATE when they are too few. */
enum psog_error psog_host_tell(const uint8_t *image, size_t image_bytes, const uint16_t *readings,
                               const float *target_deg, size_t targets, uint16_t per_target, uint8_t *bytes,
                               size_t size, const struct psog_user *user, struct psog_fit *fit)
{
    struct psog_model model;
    struct psog_samples samples;
    struct psog_tune tune;
    float work[PSOG_MAX_TUNE_FLOATS];
    float gaze[PSOG_OUTPUTS];
    int8_t features[PSOG_MAX_FEATURES];
    int8_t activations[PSOG_MAX_ACTIVATION_BYTES];
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    if (error != PSOG_OK || model.numbers == 0)
        return error != PSOG_OK ? error : PSOG_ERR_STATE;
    psog_samples_begin(&samples, &model, bytes, size);
    for (size_t target = 0; target < targets; target++) {
        error = psog_samples_target(&samples, target_deg + 2u * target, per_target);
        for (uint32_t i = 0; error == PSOG_OK && i < per_target; i++, readings += model.sensors) {
            error = psog_infer(&model, NULL, readings, activations, sizeof activations, features);
            psog_head_apply(&model, NULL, features, gaze);
            psog_samples_add(&samples, readings, gaze);
        }
        if (error != PSOG_OK)
            return error;
    }
    error = psog_tune_begin(&tune, &model, work, PSOG_MAX_TUNE_FLOATS);
    return error != PSOG_OK ? error
                            : psog_samples_solve(&samples, &tune, activations, sizeof activations, user, fit);
}
