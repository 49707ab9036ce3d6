/* Runs a target without libFuzzer, so that a C compiler is all it takes: first every input of the corpus as
 * it is, then so many with random changes. What it runs follows from corpus, seed and number alone.
 *
 *     fuzz TARGET RUNS SEED FINDING CORPUS-FILE...
 *
 * On a finding the input is written to the file FINDING, and the exit status is not 0. */
#include "fuzz.h"

#define LONGEST 4096u
#define MOST_INPUTS 4096
#define MOST_CHANGES 4u

struct bytes {
    uint8_t at[LONGEST];
    size_t size;
};

static const struct {
    const char *name;
    void (*run)(const uint8_t *data, size_t size);
} TARGETS[] = {
    {"frames", fuzz_frames},
    {"commands", fuzz_commands},
    {"image", fuzz_image},
    {"calibration", fuzz_calibration},
    {"slots", fuzz_slots},
    {"signature", fuzz_signature},
};

static const uint32_t TELLING[] = {
    0, 1, 2, 3, 4, 8, 64, 65, 96, 127, 128, 254, 255, 256, 768, 16384, 16385, 32767, 32768, 65535,
    0x7F800000u, 0x7FC00000u, 0x7FFFFFFCu, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFCu, 0xFFFFFFFFu,
};

static struct bytes corpus[MOST_INPUTS];
static struct bytes current;
static const char *finding;
static uint64_t state;

/* xorshift64* (Marsaglia 2003, Vigna 2016). */
static uint32_t random_below(uint32_t end)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(((state * 0x2545F4914F6CDD1Du) >> 32) * end >> 32);
}

#ifndef WITHOUT_SANITIZERS
void __sanitizer_set_death_callback(void (*callback)(void));
const char *__asan_default_options(void);

/* Leaks are not looked for, and freed memory is reused soon: both cost more than the targets. */
const char *__asan_default_options(void)
{
    return "detect_leaks=0:quarantine_size_mb=1:handle_abort=1";
}
#else
static void __sanitizer_set_death_callback(void (*callback)(void))
{
    (void)callback;
}
#endif

static void keep_finding(void)
{
    FILE *file = fopen(finding, "wb");
    if (file != NULL) {
        (void)fwrite(current.at, 1, current.size, file);
        (void)fclose(file);
    }
}

static void read_file(const char *path, struct bytes *into)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    into->size = fread(into->at, 1, LONGEST, file);
    (void)fclose(file);
}

/* Moves what follows `at`, so that it follows `at + grow`; what becomes too long is cut off. */
static void make_room(size_t at, size_t grow)
{
    size_t behind = current.size - at;
    if (grow > LONGEST - at)
        grow = LONGEST - at;
    if (behind > LONGEST - at - grow)
        behind = LONGEST - at - grow;
    memmove(current.at + at + grow, current.at + at, behind);
    current.size = at + grow + behind;
}

static void take_out(size_t at, size_t count)
{
    memmove(current.at + at, current.at + at + count, current.size - at - count);
    current.size -= count;
}

/* A piece of another input. */
static void splice(const struct bytes *other, size_t at)
{
    if (other->size == 0)
        return;
    size_t from = random_below((uint32_t)other->size);
    size_t count = 1u + random_below((uint32_t)(other->size - from));
    if (random_below(2) == 0)
        make_room(at, count);
    if (count > current.size - at)
        count = current.size - at;
    memcpy(current.at + at, other->at + from, count);
}

static void change(size_t inputs)
{
    size_t at = random_below((uint32_t)current.size + 1u);
    size_t left = current.size - at;
    uint32_t telling = TELLING[random_below(sizeof TELLING / sizeof TELLING[0])];
    size_t width = (size_t)1 << random_below(3); /* 1, 2 or 4 bytes */
    switch (random_below(7)) {
    case 0:
        if (left > 0)
            current.at[at] ^= (uint8_t)(1u << random_below(8));
        break;
    case 1:
        if (left > 0)
            current.at[at] = (uint8_t)random_below(256);
        break;
    case 2:
        if (left > 0)
            current.at[at] = (uint8_t)(current.at[at] + random_below(9) - 4u);
        break;
    case 3:
        if (left >= width)
            memcpy(current.at + at, &telling, width);
        break;
    case 4:
        make_room(at, 1u + random_below(8));
        break;
    case 5:
        if (left > 0)
            take_out(at, 1u + random_below((uint32_t)(left < 16 ? left : 16)));
        break;
    default:
        splice(&corpus[random_below((uint32_t)inputs)], at);
    }
}

static void run_target(void (*run)(const uint8_t *data, size_t size))
{
    uint8_t *exact = malloc(current.size); /* so that a byte too far is noticed */
    if (current.size > 0)
        memcpy(exact, current.at, current.size);
    run(exact, current.size);
    free(exact);
}

int main(int argc, char **argv)
{
    const size_t targets = sizeof TARGETS / sizeof TARGETS[0];
    size_t inputs = argc > 5 ? (size_t)argc - 5u : 0, target = 0;
    while (argc > 5 && target < targets && strcmp(argv[1], TARGETS[target].name) != 0)
        target++;
    if (inputs == 0 || inputs > MOST_INPUTS || target == targets) {
        (void)fprintf(stderr, "usage: fuzz TARGET RUNS SEED FINDING CORPUS-FILE...\n");
        return 2;
    }
    finding = argv[4];
    state = strtoull(argv[3], NULL, 10) * 2u + 1u;
    __sanitizer_set_death_callback(keep_finding);
    for (size_t i = 0; i < inputs; i++) {
        read_file(argv[5 + i], &corpus[i]);
        current = corpus[i];
        run_target(TARGETS[target].run);
    }
    for (unsigned long long runs = strtoull(argv[2], NULL, 10); runs > 0; runs--) {
        const struct bytes *begun = &corpus[random_below((uint32_t)inputs)];
        memcpy(current.at, begun->at, begun->size);
        current.size = begun->size;
        for (uint32_t changes = 1u + random_below(MOST_CHANGES); changes > 0; changes--)
            change(inputs);
        run_target(TARGETS[target].run);
    }
    return 0;
}
