/* What is kept of a calibration: a few samples of each target. */
#include "samples.h"

#include "bytes.h"
#include "network.h"

#define TARGET_BYTES (4u * PSOG_GAZE_OUTPUTS)

static uint32_t sample_bytes(const struct psog_model *model)
{
    return PSOG_SAMPLE_BYTES((uint32_t)model->sensors * model->planes);
}

struct psog_sample psog_sample(const struct psog_samples *samples, uint32_t index)
{
    const uint8_t *bytes = samples->bytes + index * sample_bytes(samples->model);
    return (struct psog_sample){
        .target_deg = {psog_get_f32(bytes), psog_get_f32(bytes + 4)},
        .inputs = (const int8_t *)bytes + TARGET_BYTES,
    };
}

void psog_samples_begin(struct psog_samples *samples, const struct psog_model *model, uint8_t *bytes,
                        size_t size)
{
    uint32_t capacity = (uint32_t)(size / sample_bytes(model));
    *samples = (struct psog_samples){.model = model, .bytes = bytes, .capacity = capacity};
}

enum psog_error psog_samples_target(struct psog_samples *samples, const float target_deg[2], uint16_t wanted)
{
    if (wanted == 0 || !psog_in_field(samples->model, target_deg))
        return PSOG_ERR_RANGE;
    if (samples->capacity - samples->count < PSOG_SAMPLES_PER_TARGET)
        return PSOG_ERR_STATE;
    memcpy(samples->target_deg, target_deg, sizeof samples->target_deg);
    samples->wanted = wanted;
    samples->added = 0;
    return PSOG_OK;
}

static void keep(struct psog_samples *samples, const uint16_t *readings)
{
    uint8_t *bytes = samples->bytes + samples->count++ * sample_bytes(samples->model);
    memcpy(bytes, samples->target_deg, TARGET_BYTES);
    psog_normalise(samples->model, readings, (int8_t *)bytes + TARGET_BYTES);
}

/* How many samples are kept of a target's first `added` readings: one in the middle of each equal stretch. */
static uint32_t kept_of(const struct psog_samples *samples, uint32_t added)
{
    return (added * PSOG_SAMPLES_PER_TARGET + samples->wanted / 2u) / samples->wanted;
}

void psog_samples_add(struct psog_samples *samples, const uint16_t *readings, const float *gaze_deg)
{
    if (samples->added == samples->wanted)
        return;
    for (uint32_t axis = 0; axis < PSOG_GAZE_OUTPUTS; axis++) {
        float error = samples->target_deg[axis] - gaze_deg[axis];
        samples->residual += error * error;
    }
    samples->readings++;
    samples->added++;
    if (kept_of(samples, samples->added) > kept_of(samples, samples->added - 1u))
        keep(samples, readings);
}
