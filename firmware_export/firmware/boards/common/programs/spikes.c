/* Runs a spiking network (docs/spiking.md) and measures it: what lies between bench_begin and bench_end is
 * all time steps of one reading. Layers behind the first are dense; a step is done event by event, so that a
 * neuron that is silent costs nothing.
 *
 * link_input_start: struct given; of each layer struct layer_head; of each of its neurons as int32 the bias,
 *     the threshold and the membrane at the start; of each of its inputs a row of int8 weights, `row_bytes`
 *     long. Then of each reading the first layer's currents as int32.
 * spikes.out: of each reading the last layer's membranes as int32, then of each layer but the last how many
 *     spikes it had.
 * Sections counted: an empty one, then each reading's. */
#include <string.h>

#include "semihosting.h"

#define MAX_LAYERS 8u
#define MAX_NEURONS 512u
#define MAX_INPUTS 258u  /* of a dense layer: so many weights of int8 sum up within int16 */
#define GROUP 8u         /* outputs whose sums lie in four registers, two in each */
#define FRACTION_BITS 4u /* as psog.net.spiking.network */
#define LANES 0x00FF00FFu

enum exit_code { DONE = 0, REFUSED = 3, NO_OUTPUT = 4 };

extern const uint8_t link_input_start[];

struct given {
    uint32_t readings;
    uint32_t timesteps;
    uint32_t layers;
};

struct layer_head {
    uint32_t inputs; /* 0: the first layer */
    uint32_t neurons;
    uint32_t row_bytes; /* a multiple of GROUP */
};

struct layer {
    struct layer_head head;
    const int32_t *biases;
    const int32_t *thresholds; /* of no meaning in the last layer */
    const int32_t *starts;
    const int8_t *weights;
    int32_t *membranes;
    uint32_t spikes; /* of all steps */
};

static struct {
    struct given given;
    struct layer layers[MAX_LAYERS];
    int32_t membranes[MAX_NEURONS];
    uint32_t fired[MAX_NEURONS + 1u]; /* which neurons spike in this step, as offsets of their rows */
    const int32_t *currents;
} net;

void bench_begin(void);
void bench_end(void);
__attribute__((noipa)) void bench_begin(void) { __asm volatile("nop"); }
__attribute__((noipa)) void bench_end(void) { __asm volatile("nop"); }

/* Bytes 0 and 2 of `bytes`, sign-extended, added to the two int16 of `sums`. */
static inline uint32_t add_even(uint32_t sums, uint32_t bytes)
{
#ifdef __ARM_FEATURE_DSP
    uint32_t result;
    __asm("sxtab16 %0, %1, %2" : "=r"(result) : "r"(sums), "r"(bytes));
    return result;
#else
    uint32_t low = sums + (uint32_t)(int8_t)(bytes & 0xFFu);
    uint32_t high = (sums >> 16) + (uint32_t)(int8_t)((bytes >> 16) & 0xFFu);
    return (low & 0xFFFFu) | (high << 16);
#endif
}

/* The same of bytes 1 and 3. */
static inline uint32_t add_odd(uint32_t sums, uint32_t bytes)
{
#ifdef __ARM_FEATURE_DSP
    uint32_t result;
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(sums), "r"(bytes));
    return result;
#else
    return add_even(sums, bytes >> 8);
#endif
}

static inline int32_t scaled(uint32_t int16)
{
    return (int32_t)(int16_t)int16 * (1 << FRACTION_BITS);
}

/* What `count` spikes and the biases bring to eight membranes. */
static void take_group(const int8_t *weights, uint32_t count, const int32_t *bias, int32_t *membrane)
{
    uint32_t sums[4] = {0, 0, 0, 0};
    const uint32_t *end = net.fired + count;
    for (const uint32_t *fired = net.fired; fired < end; fired++) {
        uint32_t words[2];
        memcpy(words, __builtin_assume_aligned(weights + *fired, 4), sizeof words);
        sums[0] = add_even(sums[0], words[0]);
        sums[1] = add_odd(sums[1], words[0]);
        sums[2] = add_even(sums[2], words[1]);
        sums[3] = add_odd(sums[3], words[1]);
    }
    for (uint32_t half = 0; half < 2u; half++, membrane += 4, bias += 4) {
        membrane[0] += bias[0] + scaled(sums[2u * half]);
        membrane[1] += bias[1] + scaled(sums[2u * half + 1u]);
        membrane[2] += bias[2] + scaled(sums[2u * half] >> 16);
        membrane[3] += bias[3] + scaled(sums[2u * half + 1u] >> 16);
    }
}

static void take_spikes(const struct layer *layer, uint32_t count)
{
    for (uint32_t first = 0; first < layer->head.row_bytes; first += GROUP)
        take_group(layer->weights + first, count, layer->biases + first, layer->membranes + first);
}

/* Lets the neurons above their thresholds spike, lists them, and tells how many they are. */
static inline uint32_t fire(struct layer *layer, const int32_t *restrict currents, uint32_t next_row_bytes)
{
    const int32_t *restrict threshold = layer->thresholds;
    int32_t *restrict membrane = layer->membranes;
    uint32_t *restrict last = net.fired;
    uint32_t end = layer->head.neurons * next_row_bytes;
    for (uint32_t row = 0; row < end; row += next_row_bytes) {
        int32_t v = *membrane + (currents ? *currents++ : 0);
        *last = row;
        int32_t over = v - *threshold++;
        if (over > 0) {
            v = over;
            last++;
        }
        *membrane++ = v;
    }
    uint32_t count = (uint32_t)(last - net.fired);
    layer->spikes += count;
    return count;
}

static void run(void)
{
    const struct layer *last = net.layers + net.given.layers - 1u;
    for (uint32_t step = 0; step < net.given.timesteps; step++) {
        struct layer *layer = net.layers;
        take_spikes(layer + 1, fire(layer, net.currents, layer[1].head.row_bytes));
        for (layer++; layer < last; layer++)
            take_spikes(layer + 1, fire(layer, NULL, layer[1].head.row_bytes));
    }
}

__attribute__((noipa)) static void count(void (*work)(void))
{
    bench_begin();
    work();
    bench_end();
}

static void nothing(void) {}

/* The layers as they lie in flash; what lies behind them. */
static const int32_t *open_layers(const int32_t *words)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < net.given.layers; i++) {
        struct layer *layer = &net.layers[i];
        memcpy(&layer->head, words, sizeof layer->head);
        words += sizeof layer->head / sizeof *words;
        uint32_t neurons = layer->head.neurons;
        if (neurons > MAX_NEURONS - place || neurons % GROUP != 0 || layer->head.inputs > MAX_INPUTS)
            semihosting_exit(REFUSED);
        layer->biases = words;
        layer->thresholds = words + neurons;
        layer->starts = words + 2u * neurons;
        words += 3u * neurons;
        layer->weights = (const int8_t *)words;
        words += layer->head.inputs * layer->head.row_bytes / sizeof *words;
        layer->membranes = net.membranes + place;
        place += neurons;
    }
    return words;
}

static void begin(void)
{
    for (uint32_t i = 0; i < net.given.layers; i++) {
        struct layer *layer = &net.layers[i];
        layer->spikes = 0;
        memcpy(layer->membranes, layer->starts, layer->head.neurons * sizeof *layer->membranes);
    }
}

int main(void)
{
    memcpy(&net.given, link_input_start, sizeof net.given);
    if (net.given.layers < 2u || net.given.layers > MAX_LAYERS)
        return REFUSED;
    const int32_t *readings =
        open_layers((const int32_t *)(const void *)(link_input_start + sizeof net.given));
    const struct layer *first = net.layers, *last = first + net.given.layers - 1u;
    uint32_t told[MAX_NEURONS + MAX_LAYERS];
    uint32_t words = last->head.neurons + net.given.layers - 1u;
    count(nothing);
    for (uint32_t i = 0; i < net.given.readings; i++) {
        net.currents = readings + i * first->head.neurons;
        begin();
        count(run);
        memcpy(told, last->membranes, last->head.neurons * sizeof *told);
        for (uint32_t k = 0; k + 1u < net.given.layers; k++)
            told[last->head.neurons + k] = net.layers[k].spikes;
        uint32_t bytes = words * (uint32_t)sizeof *told;
        bool written = i == 0 ? semihosting_write_file("spikes.out", told, bytes)
                              : semihosting_update_file("spikes.out", i * bytes, told, bytes);
        if (!written)
            return NO_OUTPUT;
    }
    return DONE;
}
