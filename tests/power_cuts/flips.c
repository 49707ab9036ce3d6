/* Flips bits of what lies in flash, as rot and radiation do: nothing damaged is ever used. Called by
 * __init__.py. */
#include <stdio.h>

#include "world.h"

#define HEAD_BYTES 64u
#define IMAGE_HEADER_BYTES 96u
#define TRAILER_BYTES 68u       /* CRC-32 and signature */
#define CALIBRATION_BYTES 128u  /* more than the record of a small model with its marks */

static struct world before, now;

static void flip(struct report *report, uint32_t offset, uint32_t bit)
{
    now.nor.reads[offset] ^= (uint8_t)(1u << bit);
    report->faults++;
}

static bool is_whole(struct found found)
{
    return found.model <= NO_MODEL && found.calibration <= MAX_CALIBRATIONS;
}

/* A start with what has been flipped, and what is there then. */
static bool survives(struct report *report, uint32_t offset, uint32_t bit, bool install)
{
    nor_restart(&now.nor);
    (void)world_start(&now);
    struct found found = world_found(&now);
    bool sound = install ? world_act(&now, INSTALL, 2) == PSOG_OK && world_found(&now).model == 2
                         : is_whole(found);
    if (!sound)
        (void)snprintf(report->failure, sizeof report->failure,
                       "bit %u of byte %u: found model %u, calibration %u", (unsigned)bit, (unsigned)offset,
                       found.model, found.calibration);
    report->runs++;
    return sound;
}

/* Each bit of a stretch in turn: one never costs both models. expected: the model in use, or NO_MODEL for
 * any. */
static bool each_bit(struct report *report, uint32_t offset, uint32_t size, uint8_t expected, bool install)
{
    for (uint32_t i = 0; i < 8u * size; i++) {
        now = before;
        flip(report, offset + i / 8u, i % 8u);
        if (!survives(report, offset + i / 8u, i % 8u, install))
            return false;
        uint8_t model = world_found(&now).model;
        if (model == NO_MODEL || (expected != NO_MODEL && model != expected)) {
            (void)snprintf(report->failure, sizeof report->failure, "bit %u of byte %u: model %u is used",
                           (unsigned)(i % 8u), (unsigned)(offset + i / 8u), model);
            return false;
        }
    }
    return true;
}

/* Every bit of heads, of the images' headers and trailers, of the calibrations. */
static bool each_important_bit(struct report *report)
{
    for (uint8_t slot = 0; slot < 2; slot++) {
        uint32_t at = slot * now.store.model_slot_bytes;
        uint32_t end = at + HEAD_BYTES + now.images->size[slot];
        uint32_t calibration = 2u * now.store.model_slot_bytes + slot * now.store.calibration_slot_bytes;
        if (!each_bit(report, at, HEAD_BYTES + IMAGE_HEADER_BYTES, NO_MODEL, false) ||
            !each_bit(report, end - TRAILER_BYTES, TRAILER_BYTES, NO_MODEL, false) ||
            !each_bit(report, calibration, CALIBRATION_BYTES, NO_MODEL, false))
            return false;
    }
    return true;
}

/* One to three bits of an image or a calibration. */
static bool some_bits(struct report *report)
{
    uint32_t count = 1u + nor_random(&before.nor, 3), offset = 0, bit = 0;
    now = before;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t slot = (uint8_t)nor_random(&before.nor, 2);
        bool image = nor_random(&before.nor, 2) > 0;
        offset = image ? slot * now.store.model_slot_bytes + HEAD_BYTES
                       : 2u * now.store.model_slot_bytes + slot * now.store.calibration_slot_bytes;
        offset += nor_random(&before.nor, image ? now.images->size[slot] : CALIBRATION_BYTES);
        bit = nor_random(&before.nor, 8);
        flip(report, offset, bit);
    }
    return survives(report, offset, bit, false);
}

/* Two models and two calibrations: every bit that matters, then so many times some of the rest. A model on
 * trial: no bit of its head confirms it. A broken upload: whatever bit of its head flips, it can be
 * finished. */
bool flips_anywhere(const struct world_images *images, const struct nor_geometry *geometry, uint32_t random,
                    struct report *report)
{
    world_prepare(&now, images, *geometry, 2);
    before = now;
    if (!each_important_bit(report))
        return false;
    for (uint32_t i = 0; i < random; i++)
        if (!some_bits(report))
            return false;
    world_prepare(&now, images, *geometry, 1);
    (void)world_act(&now, TRY, 1);
    before = now;
    if (!each_bit(report, now.store.model_slot_bytes, HEAD_BYTES, 0, false))
        return false;
    world_prepare(&now, images, *geometry, 1);
    (void)world_act(&now, BREAK_OFF, 2);
    before = now;
    return each_bit(report, now.store.model_slot_bytes, HEAD_BYTES, NO_MODEL, true);
}
