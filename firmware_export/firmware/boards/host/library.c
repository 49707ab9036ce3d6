/* The runtime as a shared library: whole arrays at once, for psog.firmware_export.host_runtime. */
#include "psog.h"

/* biases: of a user, or NULL. readings: (count, sensors). features: (count, features).
 * outputs: (count, PSOG_OUTPUTS), or NULL. */
enum psog_error psog_host_infer(const uint8_t *image, size_t image_bytes, const int32_t *biases,
                                const uint16_t *readings, size_t count, int8_t *features, float *outputs)
{
    struct psog_model model;
    uint32_t activations[PSOG_MAX_ACTIVATION_BYTES / 4u];
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
    uint32_t activations[PSOG_MAX_ACTIVATION_BYTES / 4u];
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    return error != PSOG_OK ? error : psog_model_self_test(&model, activations, sizeof activations);
}

/* Fits the head of a model without a user embedding to features, each a target of its own.
 * features: (count, features). target_deg: (count, 2). rows: PSOG_ROWS_FLOATS(features).
 * bytes: size of them, for what is kept. */
enum psog_error psog_host_fit(const uint8_t *image, size_t image_bytes, const int8_t *features,
                              const float *target_deg, size_t count, uint8_t *bytes, size_t size, float *rows,
                              struct psog_fit *fit)
{
    struct psog_model model;
    struct psog_samples samples;
    uint32_t work[PSOG_MAX_WORK_BYTES / 4u];
    const struct psog_user user = {.rows = rows};
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    if (error != PSOG_OK || model.numbers > 0)
        return error != PSOG_OK ? error : PSOG_ERR_STATE;
    psog_samples_begin(&samples, &model, bytes, size);
    for (size_t i = 0; i < count; i++, features += model.features) {
        error = psog_samples_target(&samples, target_deg + 2u * i, 1);
        if (error != PSOG_OK)
            return error;
        psog_samples_add(&samples, NULL, features, NULL);
    }
    return psog_samples_solve(&samples, work, sizeof work, &user, fit);
}

/* A standardisation, as a device does it. readings: (count, sensors), at most 65535. trained: (sensors).
 * means: (sensors). normalisation: (sensors, 2). */
enum psog_error psog_host_standardise(const uint8_t *image, size_t image_bytes, const uint16_t *readings,
                                      uint16_t count, const uint16_t *trained, uint16_t *means,
                                      int32_t *normalisation, uint8_t *shift)
{
    struct psog_model model;
    struct psog_wear wear;
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    if (error != PSOG_OK)
        return error;
    psog_wear_begin(&wear, model.sensors, count);
    for (uint32_t i = 0; i < count; i++)
        psog_wear_add(&wear, readings + i * model.sensors);
    for (uint32_t sensor = 0; sensor < model.sensors; sensor++)
        means[sensor] = psog_wear_mean(&wear, sensor);
    *shift = psog_standardise(&model, means, trained, (uint8_t *)normalisation);
    return PSOG_OK;
}

/* A whole calibration, as a device does it.
 * readings: (targets, per_target, sensors), 1 … 65535 of each target. target_deg: (targets, 2).
 * bytes: size of them, for what is kept; PSOG_ERR_STATE when they are too few. */
enum psog_error psog_host_calibrate(const uint8_t *image, size_t image_bytes, const uint16_t *readings,
                                    const float *target_deg, size_t targets, uint16_t per_target,
                                    uint8_t *bytes, size_t size, const struct psog_user *user,
                                    struct psog_fit *fit)
{
    struct psog_model model;
    struct psog_samples samples;
    int8_t features[PSOG_MAX_FEATURES];
    uint32_t work[PSOG_MAX_WORK_BYTES / 4u];
    enum psog_error error = psog_model_open(&model, image, image_bytes);
    if (error != PSOG_OK)
        return error;
    psog_samples_begin(&samples, &model, bytes, size);
    for (size_t target = 0; target < targets; target++) {
        error = psog_samples_target(&samples, target_deg + 2u * target, per_target);
        for (uint32_t i = 0; error == PSOG_OK && i < per_target; i++, readings += model.sensors) {
            error = psog_infer(&model, NULL, readings, work, sizeof work, features);
            psog_samples_add(&samples, readings, features, NULL);
        }
        if (error != PSOG_OK)
            return error;
    }
    return psog_samples_solve(&samples, work, sizeof work, user, fit);
}
