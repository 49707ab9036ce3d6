/* Measures one model: the emulator's plugin counts instructions between bench_begin and bench_end, this
 * program paints the stack and returns what the runtime computed.
 *
 * bench.in:  u32 image bytes, u32 readings, zeros up to 64 bytes, image, readings as u16.
 * bench.out: struct result, features (readings × features), outputs (readings × 4 floats).
 * Sections counted: an empty one, each reading's inference, finding the model in flash, the CRC in that,
 * adding a sample that is kept, the solve of nine targets, and the inferences in that. */
#include <string.h>

#include "bytes.h"
#include "flash.h"
#include "network.h"
#include "samples.h"
#include "semihosting.h"

#define PAINT 0xA5C3A5C3u
#define TARGETS 9u
#define ERASE_BYTES 64u
#define IMAGE_AT 64u /* in its slot: docs/SPEC.md, Flash */
#define SAMPLES (TARGETS * PSOG_SAMPLES_PER_TARGET)

enum exit_code { DONE = 0, NO_INPUT = 2, REFUSED = 3, NO_OUTPUT = 4, NO_ROOM = 5 };

extern uint32_t link_stack_bottom[];
extern uint8_t link_free_start[], link_free_end[]; /* at multiples of 8: input, then output */

struct result {
    uint32_t model_bytes;   /* of RAM: struct psog_model */
    uint32_t samples_bytes; /* struct psog_samples */
    uint32_t work_bytes;    /* psog_work_bytes */
    uint32_t inference_stack_bytes;
    uint32_t add_stack_bytes;
    uint32_t solve_stack_bytes;
};

static struct {
    struct psog_model model;
    struct psog_samples samples;
    struct psog_fit fit;
    enum psog_error error;
    const uint8_t *image;
    const uint16_t *readings;
    int8_t *features;
    float gaze[PSOG_OUTPUTS];
    float rows[PSOG_ROWS_FLOATS(PSOG_MAX_FEATURES)];
    float numbers[PSOG_MAX_NUMBERS];
    int32_t biases[PSOG_MAX_BIASES];
    uint8_t targets[TARGETS * PSOG_MAX_TARGET_BYTES];
    struct psog_store store;
    struct psog_flash flash;
    union {
        int8_t activations[PSOG_MAX_ACTIVATION_BYTES];
        uint32_t solve[PSOG_MAX_WORK_BYTES / 4u];
    } work;
} bench;

void bench_begin(void);
void bench_end(void);
__attribute__((noipa)) void bench_begin(void) { __asm volatile("nop"); }
__attribute__((noipa)) void bench_end(void) { __asm volatile("nop"); }

static void nothing(void) {}

static void inference(void)
{
    bench.error = psog_infer(&bench.model, NULL, bench.readings, bench.work.activations,
                             sizeof bench.work.activations, bench.features);
    psog_head_apply(&bench.model, NULL, bench.features, bench.gaze);
}

/* One of nine across the field, so that the fit has both axes. */
static void place_target(uint32_t target, float target_deg[PSOG_GAZE_OUTPUTS])
{
    const float *field = bench.model.field_deg;
    target_deg[0] = field[0] * 0.8f * ((float)(target % 3u) - 1.0f);
    target_deg[1] = field[1] * 0.8f * ((float)(target / 3u) - 1.0f);
}

static void add(void)
{
    psog_samples_add(&bench.samples, bench.readings, bench.features);
}

/* A calibration up to its solve; readings and features in turn. The last sample is left to `add`. */
static void keep_samples(const uint16_t *readings, const int8_t *features, uint32_t count)
{
    float target_deg[PSOG_GAZE_OUTPUTS];
    psog_samples_begin(&bench.samples, &bench.model, bench.targets, sizeof bench.targets);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        place_target(i / PSOG_SAMPLES_PER_TARGET, target_deg);
        if (i % PSOG_SAMPLES_PER_TARGET == 0)
            bench.error = psog_samples_target(&bench.samples, target_deg, PSOG_SAMPLES_PER_TARGET);
        bench.readings = readings + i % count * bench.model.sensors;
        bench.features = (int8_t *)features + i % count * bench.model.features;
        if (i + 1u < SAMPLES)
            add();
    }
}

static void solve(void)
{
    const struct psog_user user = {bench.rows, bench.numbers, bench.biases};
    bench.error = psog_samples_solve(&bench.samples, bench.work.solve, sizeof bench.work.solve, &user,
                                     &bench.fit);
}

/* The inferences of a solve, of one input: the work is the same. */
static void see(void)
{
    int8_t features[PSOG_MAX_FEATURES];
    for (uint32_t i = 0; bench.model.numbers > 0 && i < SAMPLES; i++)
        bench.error = psog_infer_inputs(&bench.model, bench.biases, psog_target(&bench.samples, 0)->values,
                                        bench.work.activations, sizeof bench.work.activations, features);
}

static void start(void)
{
    struct psog_installed installed;
    bench.error = psog_store_find_model(&bench.store, &bench.model, PSOG_MAX_ACTIVATION_BYTES, &installed);
}

static void crc(void)
{
    (void)psog_crc32(0, bench.image, bench.model.image_bytes - 4u);
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

static uint32_t round_up(uint32_t size, uint32_t unit)
{
    return (size + unit - 1u) / unit * unit;
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

/* Makes the input a flash, of which the first model slot holds the image. The rest of it is not looked at but
 * for the other slot's header, which is no header. */
static void install(uint8_t *input, uint32_t image_bytes)
{
    uint32_t slot_bytes = round_up(IMAGE_AT + image_bytes, ERASE_BYTES);
    bench.flash = (struct psog_flash){
        .memory = input,
        .size_bytes = 2u * (slot_bytes + round_up(PSOG_CALIBRATION_BYTES, ERASE_BYTES)),
        .erase_bytes = ERASE_BYTES,
        .program_bytes = 8,
    };
    memcpy(input, "PSLT", 4);
    psog_put_u32(input + 4, 0);
    psog_put_u32(input + 8, image_bytes);
    psog_put_u32(input + 12, psog_crc32(0, input, 12));
    check(psog_store_open(&bench.store, &bench.flash));
}

int main(void)
{
    uint8_t *input = link_free_start;
    struct result result = {.model_bytes = sizeof bench.model, .samples_bytes = sizeof bench.samples};
    uint32_t header[2];
    int32_t bytes = semihosting_file_bytes("bench.in");
    if (bytes > link_free_end - link_free_start)
        return NO_ROOM;
    if (bytes < (int32_t)IMAGE_AT || !semihosting_read_file("bench.in", input, (size_t)bytes))
        return NO_INPUT;
    memcpy(header, input, sizeof header);
    bench.image = input + IMAGE_AT;
    const uint16_t *readings = (const uint16_t *)(const void *)(bench.image + header[0]);
    bench.readings = readings;
    check(psog_model_open(&bench.model, bench.image, header[0]));
    check(psog_model_self_test(&bench.model, bench.work.activations, sizeof bench.work.activations));
    result.work_bytes = (uint32_t)psog_work_bytes(&bench.model);

    uint8_t *output = place_output((uint32_t)bytes, header[1]);
    int8_t *features = (int8_t *)output + sizeof result;
    uint8_t *gaze = (uint8_t *)features + header[1] * bench.model.features;
    bench.features = features;
    result.inference_stack_bytes = stack_bytes(inference);
    count(nothing);
    for (uint32_t i = 0; i < header[1]; i++) {
        count(inference);
        check(bench.error);
        memcpy(gaze, bench.gaze, sizeof bench.gaze);
        gaze += sizeof bench.gaze;
        bench.readings += bench.model.sensors;
        bench.features += bench.model.features;
    }
    install(input, header[0]);
    count(start);
    check(bench.error);
    count(crc);
    keep_samples(readings, features, header[1]);
    result.add_stack_bytes = stack_bytes(add);
    result.solve_stack_bytes = stack_bytes(solve);
    keep_samples(readings, features, header[1]);
    count(add);
    count(solve); /* may find no finite solution for random readings: the work is the same */
    count(see);
    memcpy(output, &result, sizeof result);
    return semihosting_write_file("bench.out", output, (size_t)(gaze - output)) ? DONE : NO_OUTPUT;
}
