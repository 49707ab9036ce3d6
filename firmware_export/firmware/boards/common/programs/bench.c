/* Measures one model: the emulator's plugin counts instructions between bench_begin and bench_end, this
 * program paints the stack and returns what the runtime computed.
 *
 * bench.in:  u32 image bytes, u32 readings, image, readings as u16.
 * bench.out: struct result, features (readings × features), outputs (readings × 4 floats).
 * Sections counted: an empty one, each reading's inference, one tune_add, one tune_solve; and for a model
 * with a user embedding the whole solve of a calibration of nine targets. */
#include <string.h>

#include "psog.h"
#include "semihosting.h"

#define PAINT 0xA5C3A5C3u
#define TARGETS 9u
#define SAMPLES (TARGETS * PSOG_SAMPLES_PER_TARGET)

enum exit_code { DONE = 0, NO_INPUT = 2, REFUSED = 3, NO_OUTPUT = 4, NO_ROOM = 5 };

extern uint32_t link_stack_bottom[];
extern uint8_t link_free_start[], link_free_end[]; /* at multiples of 8: input, then output */

struct result {
    uint32_t model_bytes; /* of RAM: struct psog_model */
    uint32_t tune_bytes;  /* struct psog_tune */
    uint32_t inference_stack_bytes;
    uint32_t tuning_stack_bytes;
    uint32_t samples_bytes; /* struct psog_samples */
    uint32_t telling_stack_bytes; /* 0 without a user embedding */
};

static struct {
    struct psog_model model;
    struct psog_tune tune;
    struct psog_samples samples;
    struct psog_fit fit;
    enum psog_error error;
    const uint16_t *readings;
    int8_t *features;
    float gaze[PSOG_OUTPUTS];
    float head[PSOG_MAX_HEAD_FLOATS];
    float work[PSOG_MAX_TUNE_FLOATS];
    float numbers[PSOG_MAX_NUMBERS];
    int32_t biases[PSOG_MAX_BIASES];
    uint8_t sample_bytes[SAMPLES * PSOG_SAMPLE_BYTES(PSOG_MAX_PLANES * PSOG_MAX_SENSORS)];
    int8_t activations[PSOG_MAX_ACTIVATION_BYTES];
} bench;

void bench_begin(void);
void bench_end(void);
__attribute__((noipa)) void bench_begin(void) { __asm volatile("nop"); }
__attribute__((noipa)) void bench_end(void) { __asm volatile("nop"); }

static void nothing(void) {}

static void inference(void)
{
    bench.error = psog_infer(&bench.model, NULL, bench.readings, bench.activations, sizeof bench.activations,
                             bench.features);
    psog_head_apply(&bench.model, bench.head, bench.features, bench.gaze);
}

/* One of nine across the field, so that the fit has both axes. */
static void place_target(uint32_t target, float target_deg[PSOG_GAZE_OUTPUTS])
{
    const float *field = bench.model.field_deg;
    target_deg[0] = field[0] * 0.8f * ((float)(target % 3u) - 1.0f);
    target_deg[1] = field[1] * 0.8f * ((float)(target / 3u) - 1.0f);
}

static void tune_add(void)
{
    float target_deg[PSOG_GAZE_OUTPUTS];
    place_target(bench.tune.samples % TARGETS, target_deg);
    bench.error = psog_tune_add(&bench.tune, bench.features, target_deg);
}

static void tune_solve(void)
{
    bench.error = psog_tune_solve(&bench.tune, bench.head, &bench.fit);
}

/* A calibration up to its solve, from the readings in turn. */
static void keep_samples(const uint16_t *readings, uint32_t count)
{
    float target_deg[PSOG_GAZE_OUTPUTS];
    psog_samples_begin(&bench.samples, &bench.model, bench.sample_bytes, sizeof bench.sample_bytes);
    bench.error = psog_tune_begin(&bench.tune, &bench.model, bench.work, PSOG_MAX_TUNE_FLOATS);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        place_target(i / PSOG_SAMPLES_PER_TARGET, target_deg);
        if (i % PSOG_SAMPLES_PER_TARGET == 0)
            bench.error = psog_samples_target(&bench.samples, target_deg, PSOG_SAMPLES_PER_TARGET);
        psog_samples_add(&bench.samples, readings + i % count * bench.model.sensors, target_deg);
    }
}

static void tell(void)
{
    const struct psog_user user = {bench.head, bench.numbers, bench.biases};
    bench.error = psog_samples_solve(&bench.samples, &bench.tune, bench.activations, sizeof bench.activations,
                                     &user, &bench.fit);
}

__attribute__((noipa)) static void count(void (*work)(void))
{
    bench_begin();
    work();
    bench_end();
}

/* Bytes of stack below this function's frame that `work` writes. */
__attribute__((noipa)) static uint32_t stack_bytes(void (*work)(void))
{
    volatile uint32_t *bottom = link_stack_bottom;
    volatile uint32_t *top;
    __asm volatile("mov %0, sp" : "=r"(top));
    for (volatile uint32_t *word = bottom; word < top; word++)
        *word = PAINT;
    work();
    while (bottom < top && *bottom == PAINT)
        bottom++;
    return (uint32_t)(top - bottom) * (uint32_t)sizeof *top;
}

static void check(enum psog_error error)
{
    if (error != PSOG_OK)
        semihosting_exit(REFUSED);
}

/* Room for what `readings` give, behind the input; ends the program where there is none. */
static uint8_t *place_output(uint32_t input_bytes, uint32_t readings)
{
    uint8_t *output = link_free_start + (input_bytes + 7u) / 8u * 8u;
    uint32_t each = bench.model.features + (uint32_t)sizeof bench.gaze;
    if ((size_t)(link_free_end - output) < sizeof(struct result) + readings * each)
        semihosting_exit(NO_ROOM);
    return output;
}

int main(void)
{
    uint8_t *input = link_free_start;
    struct result result = {.model_bytes = sizeof bench.model,
                            .tune_bytes = sizeof bench.tune,
                            .samples_bytes = sizeof bench.samples};
    uint32_t header[2];
    int32_t bytes = semihosting_file_bytes("bench.in");
    if (bytes > link_free_end - link_free_start)
        return NO_ROOM;
    if (bytes < (int32_t)sizeof header || !semihosting_read_file("bench.in", input, (size_t)bytes))
        return NO_INPUT;
    memcpy(header, input, sizeof header);
    const uint8_t *image = input + sizeof header;
    const uint16_t *readings = (const uint16_t *)(const void *)(image + header[0]);
    bench.readings = readings;
    check(psog_model_open(&bench.model, image, header[0]));
    check(psog_model_self_test(&bench.model, bench.activations, sizeof bench.activations));
    check(psog_tune_begin(&bench.tune, &bench.model, bench.work, PSOG_MAX_TUNE_FLOATS));
    psog_head_load(&bench.model, bench.head);

    uint8_t *output = place_output((uint32_t)bytes, header[1]);
    bench.features = (int8_t *)output + sizeof result;
    uint8_t *gaze = output + sizeof result + header[1] * bench.model.features;
    result.inference_stack_bytes = stack_bytes(inference);
    count(nothing);
    for (uint32_t i = 0; i < header[1]; i++) {
        count(inference);
        check(bench.error);
        memcpy(gaze, bench.gaze, sizeof bench.gaze);
        tune_add();
        check(bench.error);
        gaze += sizeof bench.gaze;
        bench.readings += bench.model.sensors;
        bench.features += bench.model.features;
    }
    bench.features = (int8_t *)output + sizeof result;
    count(tune_add);
    check(bench.error);
    result.tuning_stack_bytes = stack_bytes(tune_add);
    count(tune_solve); /* may find no finite solution for random readings: the work is the same */
    if (bench.model.numbers > 0) {
        keep_samples(readings, header[1]);
        result.telling_stack_bytes = stack_bytes(tell);
        keep_samples(readings, header[1]);
        count(tell);
    }
    memcpy(output, &result, sizeof result);
    return semihosting_write_file("bench.out", output, (size_t)(gaze - output)) ? DONE : NO_OUTPUT;
}
