/* Standardisation: parts differ and LEDs age, so a sensor's gain is not that of the headsets that the model
 * was trained with; dark stays dark. The ratio of its means says how much, and the normalisation takes it
 * back at no cost. psog/device/standardising.py is the reference. */
#include "bytes.h"
#include "image.h"

#define LARGEST_OFFSET 65535u
#define LARGEST_MULTIPLIER 16383u

void psog_wear_begin(struct psog_wear *wear, uint16_t sensors, uint16_t wanted)
{
    *wear = (struct psog_wear){.sensors = sensors, .wanted = wanted};
    memset(wear->least, 0xFF, sizeof wear->least);
}

void psog_wear_add(struct psog_wear *wear, const uint16_t *readings)
{
    if (wear->added == wear->wanted)
        return;
    wear->added++;
    for (uint32_t sensor = 0; sensor < wear->sensors; sensor++) {
        uint16_t value = readings[sensor];
        wear->sums[sensor] += value;
        if (value < wear->least[sensor])
            wear->least[sensor] = value;
        if (value > wear->most[sensor])
            wear->most[sensor] = value;
    }
}

/* a / b, rounded half up. */
static uint32_t ratio(uint32_t a, uint32_t b)
{
    return (a + b / 2u) / b;
}

uint16_t psog_wear_mean(const struct psog_wear *wear, uint32_t sensor)
{
    if (wear->least[sensor] >= wear->most[sensor])
        return 0;
    uint32_t mean = ratio(wear->sums[sensor], wear->added);
    return (uint16_t)(mean > 0 ? mean : 1u);
}

/* A sensor's means: what it has now, as far as it counts, and what it had in training. */
struct means {
    uint32_t now, trained;
};

static struct means counting(uint32_t now, uint32_t trained)
{
    if (now == 0 || trained == 0)
        return (struct means){1, 1};
    uint32_t least = (trained + PSOG_MOST_GAIN - 1u) / PSOG_MOST_GAIN, most = trained * PSOG_MOST_GAIN;
    return (struct means){now < least ? least : now > most ? most : now, trained};
}

/* No product or sum leaves 32 bits: offsets and means have 16, multipliers 14, and `halved` is at most 2. */
static uint32_t multiplier(const uint8_t *entry, struct means means, uint32_t halved)
{
    return ratio(psog_get_u32(entry + 4) * means.trained, means.now << halved);
}

/* How often all multipliers have to be halved, and the shift with them, until they are in range. */
static uint32_t halvings(const struct psog_model *model, const uint8_t *own, const uint16_t *means,
                         const uint16_t *trained)
{
    uint32_t halved = 0, most = model->image[40] - psog_least_shift(model->planes);
    for (uint32_t sensor = 0; sensor < model->sensors; sensor++)
        while (halved < most && multiplier(own + 8u * sensor, counting(means[sensor], trained[sensor]),
                                           halved) > LARGEST_MULTIPLIER)
            halved++;
    return halved;
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

uint8_t psog_standardise(const struct psog_model *model, const uint16_t *means, const uint16_t *trained,
                         uint8_t *normalisation)
{
    const uint8_t *own = psog_own_normalisation(model->image);
    uint32_t halved = halvings(model, own, means, trained);
    for (uint32_t sensor = 0; sensor < model->sensors; sensor++, own += 8, normalisation += 8) {
        struct means of = counting(means[sensor], trained[sensor]);
        uint32_t steps = at_most(multiplier(own, of, halved), LARGEST_MULTIPLIER);
        psog_put_u32(normalisation, at_most(ratio(psog_get_u32(own) * of.now, of.trained), LARGEST_OFFSET));
        psog_put_u32(normalisation + 4, steps > 0 ? steps : 1u);
    }
    return (uint8_t)(model->image[40] - halved);
}

void psog_model_normalise_by(struct psog_model *model, const uint8_t *normalisation, uint8_t shift)
{
    model->normalisation = normalisation ? normalisation : psog_own_normalisation(model->image);
    model->normalisation_shift = normalisation ? shift : model->image[40];
}

bool psog_model_is_standardised(const struct psog_model *model)
{
    return model->normalisation != psog_own_normalisation(model->image);
}
