/* What is kept of a calibration: a few samples of each target. */
#include "samples.h"

#include <string.h>

#include "network.h"

#define MOST_TARGETS UINT16_MAX

void psog_samples_begin(struct psog_samples *samples, const struct psog_model *model, void *bytes,
                        size_t size)
{
    /* Inputs until the network has been told whose eye it sees, then the features they give: in one place. */
    uint32_t inputs = model->numbers > 0 ? (uint32_t)model->sensors * model->planes : 0;
    uint32_t value_bytes = inputs > model->features ? inputs : model->features;
    size_t room = size / PSOG_TARGET_BYTES(value_bytes);
    *samples = (struct psog_samples){
        .model = model,
        .bytes = bytes,
        .value_bytes = value_bytes,
        .capacity = room < MOST_TARGETS ? (uint32_t)room : MOST_TARGETS,
    };
}

bool psog_in_field(const struct psog_model *model, const float target_deg[2])
{
    for (uint32_t axis = 0; axis < PSOG_GAZE_OUTPUTS; axis++)
        if (!(target_deg[axis] >= -model->field_deg[axis] && target_deg[axis] <= model->field_deg[axis]))
            return false;
    return true;
}

enum psog_error psog_samples_target(struct psog_samples *samples, const float target_deg[2], uint16_t wanted)
{
    if (wanted == 0 || !psog_in_field(samples->model, target_deg))
        return PSOG_ERR_RANGE;
    if (samples->targets == samples->capacity)
        return PSOG_ERR_STATE;
    memcpy(samples->target_deg, target_deg, sizeof samples->target_deg);
    samples->wanted = wanted;
    samples->residual = 0.0f;
    samples->added = 0;
    samples->kept = 0;
    return PSOG_OK;
}

static struct psog_target *last_target(struct psog_samples *samples)
{
    return psog_target(samples, samples->targets - 1u);
}

/* in_use: squared distance from the target of its gaze by what is in use. */
static void keep(struct psog_samples *samples, const uint16_t *readings, const int8_t *features, float in_use)
{
    const struct psog_model *model = samples->model;
    if (samples->kept == 0)
        samples->targets++;
    struct psog_target *target = last_target(samples);
    int8_t *values = target->values + samples->kept * samples->value_bytes;
    target->in_use = samples->kept == 0 ? in_use : target->in_use + in_use;
    samples->kept++;
    samples->count++;
    memcpy(target->target_deg, samples->target_deg, sizeof target->target_deg);
    target->count = samples->kept;
    if (model->numbers > 0)
        psog_normalise(model, readings, values);
    else
        memcpy(values, features, model->features);
}

/* How many samples are kept of a target's first `added` readings: one in the middle of each equal stretch. */
static uint32_t kept_of(const struct psog_samples *samples, uint32_t added)
{
    return (added * K + samples->wanted / 2u) / samples->wanted;
}

static float squared_distance(const float a[PSOG_GAZE_OUTPUTS], const float b[PSOG_GAZE_OUTPUTS])
{
    float right = a[0] - b[0], up = a[1] - b[1];
    return right * right + up * up;
}

void psog_samples_add(struct psog_samples *samples, const uint16_t *readings, const int8_t *features,
                      const float *in_use_deg)
{
    float gaze_deg[PSOG_OUTPUTS];
    if (samples->added == samples->wanted)
        return;
    psog_head_apply(samples->model, NULL, features, gaze_deg);
    samples->residual += squared_distance(samples->target_deg, gaze_deg);
    samples->added++;
    if (kept_of(samples, samples->added) != kept_of(samples, samples->added - 1u))
        keep(samples, readings, features,
             squared_distance(samples->target_deg, in_use_deg ? in_use_deg : gaze_deg));
    if (samples->kept == 0)
        return; /* there is no target yet */
    last_target(samples)->residual = samples->residual;
    last_target(samples)->readings = samples->added;
}

enum psog_error psog_samples_forget(struct psog_samples *samples, const float target_deg[2])
{
    size_t place_bytes = sizeof samples->target_deg, bytes = PSOG_TARGET_BYTES(samples->value_bytes);
    uint32_t before = samples->targets;
    samples->targets = 0;
    for (uint32_t index = 0; index < before; index++) {
        const struct psog_target *target = psog_target(samples, index);
        if (memcmp(target->target_deg, target_deg, place_bytes) == 0)
            samples->count -= target->count;
        else
            memmove(psog_target(samples, samples->targets++), target, bytes);
    }
    if (memcmp(samples->target_deg, target_deg, place_bytes) == 0)
        samples->wanted = samples->added = samples->kept = 0;
    return samples->targets == before ? PSOG_ERR_RANGE : PSOG_OK;
}
