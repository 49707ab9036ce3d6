/* Measures one model: the emulator's plugin counts instructions between bench_begin and bench_end, this
 * program paints the stack and returns what the runtime computed.
 *
 * bench.in:  u32 image bytes, u32 readings, image, readings as u16.
 * bench.out: struct result, features (readings × features), outputs (readings × 4 floats).
 * Sections counted: an empty one, each reading's inference, one tune_add, one tune_solve. */
#include <string.h>

#include "psog.h"
#include "semihosting.h"

#define MAX_INPUT_BYTES (1u << 20)
#define MAX_READINGS 4096u
#define PAINT 0xA5C3A5C3u

enum exit_code { DONE = 0, NO_INPUT = 2, REFUSED = 3, NO_OUTPUT = 4 };

extern uint32_t link_stack_bottom[];

struct result {
    uint32_t model_bytes; /* of RAM: struct psog_model */
    uint32_t tune_bytes;  /* struct psog_tune */
    uint32_t inference_stack_bytes;
    uint32_t tuning_stack_bytes;
};

static uint8_t input[MAX_INPUT_BYTES] __attribute__((section(".psram"), aligned(8)));
static uint8_t output[sizeof(struct result) + MAX_READINGS * (PSOG_MAX_FEATURES + 4u * PSOG_OUTPUTS)]
    __attribute__((section(".psram"), aligned(8)));

static struct {
    struct psog_model model;
    struct psog_tune tune;
    struct psog_fit fit;
    enum psog_error error;
    const uint16_t *readings;
    int8_t *features;
    float gaze[PSOG_OUTPUTS];
    float head[PSOG_MAX_HEAD_FLOATS];
    float work[PSOG_MAX_TUNE_FLOATS];
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

static void tune_add(void)
{
    /* Nine targets across the field, so that the fit has both axes. */
    uint32_t target = bench.tune.samples % 9u;
    const float *field = bench.model.field_deg;
    const float target_deg[] = {
        field[0] * 0.8f * ((float)(target % 3u) - 1.0f),
        field[1] * 0.8f * ((float)(target / 3u) - 1.0f),
    };
    bench.error = psog_tune_add(&bench.tune, bench.features, target_deg);
}

static void tune_solve(void)
{
    bench.error = psog_tune_solve(&bench.tune, bench.head, &bench.fit);
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

int main(void)
{
    struct result result = {.model_bytes = sizeof bench.model, .tune_bytes = sizeof bench.tune};
    uint32_t header[2];
    int32_t bytes = semihosting_file_bytes("bench.in");
    if (bytes < (int32_t)sizeof header || !semihosting_read_file("bench.in", input, (size_t)bytes))
        return NO_INPUT;
    memcpy(header, input, sizeof header);
    const uint8_t *image = input + sizeof header;
    bench.readings = (const uint16_t *)(const void *)(image + header[0]);
    check(psog_model_open(&bench.model, image, header[0]));
    check(psog_model_self_test(&bench.model, bench.activations, sizeof bench.activations));
    check(psog_tune_begin(&bench.tune, &bench.model, bench.work, PSOG_MAX_TUNE_FLOATS));
    psog_head_load(&bench.model, bench.head);

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
    memcpy(output, &result, sizeof result);
    return semihosting_write_file("bench.out", output, (size_t)(gaze - output)) ? DONE : NO_OUTPUT;
}
