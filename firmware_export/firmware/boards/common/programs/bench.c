/* Measures one model: the emulator's plugin counts instructions between bench_begin and bench_end, this
 * program paints the stack and returns what the runtime computed.
 *
 * link_input_start: a confirmed model's slot (docs/SPEC.md, Flash) with the number of readings as u32 at
 *     byte 16, and behind it the readings as u16. The emulator puts it where a part has its flash.
 * bench.out: struct result, then of each reading features and output (4 floats).
 * Sections counted: an empty one, each reading's inference, finding the model in flash, opening it alone with
 * and without its signature, the CRC in that, adding a sample that is kept, the solve of nine targets, and
 * the inferences in that. */
#include <string.h>

#include "bytes.h"
#include "network.h"
#include "samples.h"
#include "semihosting.h"
#include "trust.h"

#define PAINT 0xA5C3A5C3u
#define TARGETS 9u
#define ERASE_BYTES 64u
#define IMAGE_AT 64u
#define READINGS_AT 16u
#define SAMPLES (TARGETS * PSOG_SAMPLES_PER_TARGET)

enum exit_code { DONE = 0, REFUSED = 3, NO_OUTPUT = 4 };

extern uint32_t link_stack_bottom[];
extern const uint8_t link_input_start[];

struct result {
    uint32_t model_bytes;   /* of RAM: struct psog_model */
    uint32_t samples_bytes; /* struct psog_samples */
    uint32_t work_bytes;    /* psog_work_bytes */
    uint32_t inference_stack_bytes;
    uint32_t add_stack_bytes;
    uint32_t solve_stack_bytes;
    uint32_t signature_stack_bytes;
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
    int8_t kept[SAMPLES][PSOG_MAX_FEATURES]; /* of the first readings, for a calibration */
    uint8_t targets[TARGETS * PSOG_MAX_TARGET_BYTES];
    struct psog_store store;
    struct psog_flash flash;
    union {
        uint32_t activations[PSOG_MAX_ACTIVATION_BYTES / 4u];
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
    psog_samples_add(&bench.samples, bench.readings, bench.features, NULL);
}

/* A calibration up to its solve; readings in turn. The last sample is left to `add`. */
static void keep_samples(const uint16_t *readings, uint32_t count)
{
    float target_deg[PSOG_GAZE_OUTPUTS];
    psog_samples_begin(&bench.samples, &bench.model, bench.targets, sizeof bench.targets);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        place_target(i / PSOG_SAMPLES_PER_TARGET, target_deg);
        if (i % PSOG_SAMPLES_PER_TARGET == 0)
            bench.error = psog_samples_target(&bench.samples, target_deg, PSOG_SAMPLES_PER_TARGET);
        bench.readings = readings + i % count * bench.model.sensors;
        bench.features = bench.kept[i % count];
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
    bench.error = psog_store_find_model(&bench.store, PSOG_NEWEST, &bench.model, PSOG_MAX_ACTIVATION_BYTES,
                                        &installed);
}

static void open_signed(void)
{
    size_t size = bench.model.image_bytes + PSOG_SIGNATURE_BYTES;
    bench.error = psog_model_open_signed(&bench.model, bench.image, size, &APP_TRUST, PSOG_UNKNOWN);
}

static void open_unsigned(void)
{
    bench.error = psog_model_open(&bench.model, bench.image, bench.model.image_bytes);
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

/* Adds to bench.out what one reading gave. */
static void put_output(uint32_t reading)
{
    uint32_t features = bench.model.features, size = features + (uint32_t)sizeof bench.gaze;
    uint8_t row[PSOG_MAX_FEATURES + sizeof bench.gaze];
    memcpy(row, bench.features, features);
    memcpy(row + features, bench.gaze, sizeof bench.gaze);
    if (!semihosting_update_file("bench.out", (uint32_t)sizeof(struct result) + reading * size, row, size))
        semihosting_exit(NO_OUTPUT);
}

/* The input as a flash, of which the first model slot holds the image. The rest of it is not looked at but
 * for the other slot's header, which is no header. */
static void open_flash(uint32_t image_bytes)
{
    uint32_t slot_bytes = round_up(IMAGE_AT + image_bytes, ERASE_BYTES);
    bench.flash = (struct psog_flash){
        .memory = link_input_start,
        .size_bytes = 2u * (slot_bytes + round_up(PSOG_CALIBRATION_BYTES, ERASE_BYTES)),
        .erase_bytes = ERASE_BYTES,
        .program_bytes = 8,
    };
    check(psog_store_open(&bench.store, &bench.flash, &APP_TRUST));
}

int main(void)
{
    struct result result = {.model_bytes = sizeof bench.model, .samples_bytes = sizeof bench.samples};
    uint32_t image_bytes = psog_get_u32(link_input_start + 8);
    uint32_t count_of_readings = psog_get_u32(link_input_start + READINGS_AT);
    bench.image = link_input_start + IMAGE_AT;
    const uint16_t *readings = (const uint16_t *)(const void *)(bench.image + image_bytes);
    check(psog_model_open(&bench.model, bench.image, image_bytes - PSOG_SIGNATURE_BYTES));
    check(psog_model_self_test(&bench.model, bench.work.activations, sizeof bench.work.activations));
    result.work_bytes = (uint32_t)psog_work_bytes(&bench.model);

    bench.readings = readings;
    bench.features = bench.kept[0];
    result.inference_stack_bytes = stack_bytes(inference);
    if (!semihosting_write_file("bench.out", &result, sizeof result))
        return NO_OUTPUT;
    count(nothing);
    int8_t others[PSOG_MAX_FEATURES];
    for (uint32_t i = 0; i < count_of_readings; i++) {
        bench.readings = readings + i * bench.model.sensors;
        bench.features = i < SAMPLES ? bench.kept[i] : others;
        count(inference);
        check(bench.error);
        put_output(i);
    }
    open_flash(image_bytes);
    count(start);
    check(bench.error);
    result.signature_stack_bytes = stack_bytes(open_signed);
    count(open_signed);
    count(open_unsigned);
    count(crc);
    keep_samples(readings, count_of_readings);
    result.add_stack_bytes = stack_bytes(add);
    result.solve_stack_bytes = stack_bytes(solve);
    keep_samples(readings, count_of_readings);
    count(add);
    count(solve); /* may find no finite solution for random readings: the work is the same */
    count(see);
    return semihosting_update_file("bench.out", 0, &result, sizeof result) ? DONE : NO_OUTPUT;
}
