/* Cuts the power during everything that writes flash, and during what follows. Called by __init__.py. */
#include <stdio.h>

#include "world.h"

#define MAX_CUTS_IN_A_ROW 5u

static struct world now, before_cut, after_cut;

static bool failed(struct report *report, const char *where, uint64_t seed, uint32_t first, uint32_t second)
{
    struct found found = world_found(&now);
    (void)snprintf(report->failure, sizeof report->failure,
                   "%s, seed %llu, cuts %u and %u: found model %u, calibration %u of %u, sure %d", where,
                   (unsigned long long)seed, (unsigned)first, (unsigned)second, found.model,
                   found.calibration, now.calibrations, now.sure);
    return true;
}

static void lose_power(struct report *report, uint32_t at, enum nor_tear tear)
{
    now.nor.operations = 0;
    now.nor.cut_at = at;
    now.nor.tear = tear;
    report->faults++;
}

/* Starts until the power stays; false when something unsound is found. */
static bool comes_back(void)
{
    nor_restart(&now.nor);
    return world_start(&now) && world_is_sound(&now);
}

/* The second cut of a pair: during the start after the first, or while the host repeats what it was doing.
 * Returns whether it came to that. */
static bool second_cut(struct report *report, enum action action, uint8_t model, uint32_t at,
                       enum nor_tear tear, bool *sound)
{
    nor_restart(&now.nor);
    lose_power(report, at, tear);
    bool started = world_start(&now);
    *sound = !started || world_is_sound(&now);
    if (started && *sound)
        (void)world_act(&now, action, model);
    bool was_cut = now.nor.off;
    *sound = *sound && comes_back() && comes_back();
    report->runs++;
    return was_cut;
}

/* Every operation of an action is cut in every way, and then every operation of the recovery, in ways that
 * take turns. every: of the second cuts behind the first 16 only each so-manieth. */
static bool cut_everywhere(struct report *report, enum action action, uint8_t model, uint32_t every)
{
    bool sound;
    before_cut = now;
    now.nor.operations = 0;
    if (world_act(&now, action, model) != PSOG_OK || !world_is_sound(&now))
        return !failed(report, "uncut", 0, 0, 0);
    uint32_t count = now.nor.operations;
    for (uint32_t first = 0; first < count; first++)
        for (uint32_t tear = 0; tear < NOR_TEARS; tear++) {
            now = before_cut;
            now.nor.random += (uint64_t)first * NOR_TEARS + tear;
            lose_power(report, first, (enum nor_tear)tear);
            (void)world_act(&now, action, model);
            after_cut = now;
            for (uint32_t second = 0, again = 1; again; second += second < 16 ? 1 : every) {
                now = after_cut;
                now.nor.random += second;
                again = second_cut(report, action, model, second,
                                   (enum nor_tear)((first + second + tear) % NOR_TEARS), &sound);
                if (!sound)
                    return !failed(report, "two cuts", tear, first, second);
            }
        }
    return true;
}

/* Two cuts, everywhere, in one geometry. Returns whether all was sound. */
bool cuts_everywhere(const struct world_images *images, const struct nor_geometry *geometry, uint32_t every,
                     struct report *report)
{
    static const struct {
        uint32_t base;
        enum action action;
        uint8_t model;
    } cases[] = {
        {0, INSTALL, 0}, {1, INSTALL, 1}, {2, INSTALL, 2}, {1, INSTALL, 0},
        {1, SAVE, 0},    {2, SAVE, 0},    {2, ERASE, 0},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world_prepare(&now, images, *geometry, cases[i].base);
        if (!cut_everywhere(report, cases[i].action, cases[i].model, every))
            return false;
    }
    return true;
}

/* Small numbers are likelier: decisions are short, images long. */
static uint32_t some_operation(void)
{
    return nor_random(&now.nor, 2u << nor_random(&now.nor, 9));
}

static enum nor_tear some_tear(void)
{
    return (enum nor_tear)nor_random(&now.nor, NOR_TEARS);
}

/* Does something that is perhaps cut, then starts, perhaps with more cuts. */
static bool live_on(struct report *report)
{
    if (nor_random(&now.nor, 4) > 0)
        lose_power(report, some_operation(), some_tear());
    enum action action = (enum action)nor_random(&now.nor, ACTIONS);
    (void)world_act(&now, action, (uint8_t)nor_random(&now.nor, MODELS));
    if (!now.nor.off)
        report->faults -= now.nor.cut_at != NOR_NEVER;
    for (uint32_t row = 0; row < MAX_CUTS_IN_A_ROW; row++) {
        nor_restart(&now.nor);
        if (nor_random(&now.nor, 2) > 0)
            lose_power(report, nor_random(&now.nor, 8), some_tear());
        if (world_start(&now)) {
            report->faults -= now.nor.cut_at != NOR_NEVER;
            now.nor.cut_at = NOR_NEVER;
            return world_is_sound(&now);
        }
    }
    return comes_back();
}

/* After all this a model can be installed, by a host that tries again. */
static bool still_works(void)
{
    enum psog_error error = PSOG_ERR_FLASH;
    for (uint32_t attempt = 0; attempt < 4 && error != PSOG_OK; attempt++)
        error = world_act(&now, INSTALL, 2);
    return error == PSOG_OK && world_is_sound(&now) && comes_back() && world_found(&now).model == 2;
}

/* Worlds in which the power is cut again and again, in one of several geometries each. */
bool cuts_at_random(const struct world_images *images, const struct nor_geometry *geometries,
                    uint32_t geometry_count, uint64_t seed, uint32_t runs, struct report *report)
{
    for (uint32_t run = 0; run < runs; run++) {
        world_begin(&now, images, geometries[run % geometry_count], seed + run);
        uint32_t actions = 2u + nor_random(&now.nor, 5);
        if (nor_random(&now.nor, 4) > 0)
            (void)world_act(&now, INSTALL, 0);
        for (uint32_t i = 0; i < actions; i++)
            if (!live_on(report))
                return !failed(report, "at random", seed + run, i, now.nor.cut_at);
        if (!still_works())
            return !failed(report, "not installed", seed + run, 0, 0);
        report->runs++;
    }
    return true;
}
