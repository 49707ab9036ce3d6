#include "nor.h"

#include <string.h>

uint32_t nor_random(struct nor *nor, uint32_t below)
{
    nor->random ^= nor->random << 13; /* xorshift64: Marsaglia 2003 */
    nor->random ^= nor->random >> 7;
    nor->random ^= nor->random << 17;
    return (uint32_t)((nor->random >> 16) % below);
}

static uint8_t random_byte(struct nor *nor)
{
    return (uint8_t)nor_random(nor, 256);
}

void nor_begin(struct nor *nor, struct nor_geometry geometry, uint64_t seed)
{
    memset(nor, 0, sizeof *nor);
    nor->geometry = geometry;
    nor->random = seed * 2685821657736338717u + 88172645463325252u;
    nor->cut_at = NOR_NEVER;
    memset(nor->reads, geometry.erased, geometry.size_bytes);
}

/* Of old and new bits those that a mask says. */
static uint8_t mixed(uint8_t before, uint8_t after, uint8_t mask)
{
    return (uint8_t)((before & ~mask) | (after & mask));
}

static void forget_torn(struct nor *nor, uint32_t offset, uint32_t size)
{
    for (uint32_t i = 0; i < nor->torn_count;)
        if (nor->torn[i].offset >= offset && nor->torn[i].offset < offset + size)
            nor->torn[i] = nor->torn[--nor->torn_count];
        else
            i++;
}

static bool cut(struct nor *nor)
{
    nor->off = nor->off || nor->operations == nor->cut_at;
    nor->operations++;
    return nor->off;
}

/* As the cells take it: bits can only go away from erased. */
static uint8_t programmed(const struct nor *nor, uint8_t before, uint8_t data)
{
    return nor->geometry.erased ? before & data : before | data;
}

static void tear_unit(struct nor *nor, uint32_t offset, const uint8_t *data)
{
    struct nor_torn torn = {.offset = offset};
    for (uint32_t i = 0; i < nor->geometry.program_bytes; i++) {
        torn.before[i] = nor->reads[offset + i];
        torn.after[i] = programmed(nor, torn.before[i], data[i]);
    }
    forget_torn(nor, offset, nor->geometry.program_bytes);
    for (uint32_t i = 0; i < nor->geometry.program_bytes; i++)
        if (nor->tear == NOR_PART)
            nor->reads[offset + i] = mixed(torn.before[i], torn.after[i], random_byte(nor));
        else if (nor->tear == NOR_AHEAD)
            nor->reads[offset + i] = torn.after[i];
        else if (nor->tear == NOR_UNSTABLE)
            nor->weak[offset + i] = torn.before[i] ^ torn.after[i];
    if (nor->tear == NOR_FLICKERS && nor->torn_count < NOR_MAX_TORN)
        nor->torn[nor->torn_count++] = torn;
}

static enum psog_error program(void *context, uint32_t offset, const uint8_t *data, uint32_t size)
{
    struct nor *nor = context;
    uint32_t unit = nor->geometry.program_bytes;
    for (uint32_t at = offset; at < offset + size; at += unit, data += unit) {
        bool was_off = nor->off;
        if (cut(nor)) {
            if (!was_off && nor->tear != NOR_BEFORE)
                tear_unit(nor, at, data);
            return PSOG_ERR_FLASH;
        }
        forget_torn(nor, at, unit);
        for (uint32_t i = 0; i < unit; i++) {
            nor->reads[at + i] = programmed(nor, nor->reads[at + i], data[i]);
            nor->weak[at + i] = 0;
        }
    }
    return PSOG_OK;
}

static void tear_block(struct nor *nor, uint32_t offset)
{
    const uint32_t unit = nor->geometry.program_bytes;
    uint32_t share = 1 + nor_random(nor, 8);
    uint8_t all_programmed = (uint8_t)~nor->geometry.erased;
    forget_torn(nor, offset, nor->geometry.erase_bytes);
    for (uint32_t i = 0; i < nor->geometry.erase_bytes; i++) {
        uint8_t *cell = &nor->reads[offset + i];
        if (nor->tear == NOR_PART)
            *cell = mixed(*cell, nor->geometry.erased, random_byte(nor) | (share > 4 ? random_byte(nor) : 0));
        else if (nor->tear == NOR_AHEAD && i % unit == 0 && nor_random(nor, 8) < share)
            memset(cell, all_programmed, unit);
        else if (nor->tear == NOR_UNSTABLE || nor->tear == NOR_FLICKERS)
            nor->weak[offset + i] |= *cell ^ nor->geometry.erased;
    }
}

static enum psog_error erase(void *context, uint32_t offset, uint32_t size)
{
    struct nor *nor = context;
    uint32_t block = nor->geometry.erase_bytes;
    for (uint32_t at = offset; at < offset + size; at += block) {
        bool was_off = nor->off;
        if (cut(nor)) {
            if (!was_off && nor->tear != NOR_BEFORE)
                tear_block(nor, at);
            return PSOG_ERR_FLASH;
        }
        forget_torn(nor, at, block);
        memset(nor->reads + at, nor->geometry.erased, block);
        memset(nor->weak + at, 0, block);
        nor->erases[at / block]++;
    }
    return PSOG_OK;
}

static void draw_unit(struct nor *nor, const struct nor_torn *torn)
{
    uint32_t how = nor_random(nor, 4);
    for (uint32_t i = 0; i < nor->geometry.program_bytes; i++) {
        uint8_t mask = how == 0 ? 0x00 : how < 3 ? 0xFF : random_byte(nor);
        nor->reads[torn->offset + i] = mixed(torn->before[i], torn->after[i], mask);
    }
}

void nor_restart(struct nor *nor)
{
    nor->off = false;
    nor->cut_at = NOR_NEVER;
    nor->operations = 0;
    for (uint32_t i = 0; i < nor->geometry.size_bytes; i++)
        if (nor->weak[i] != 0)
            nor->reads[i] = mixed(nor->reads[i], random_byte(nor), nor->weak[i]);
    for (uint32_t i = 0; i < nor->torn_count; i++)
        draw_unit(nor, &nor->torn[i]);
}

struct psog_flash nor_region(struct nor *nor)
{
    return (struct psog_flash){
        .memory = nor->reads,
        .size_bytes = nor->geometry.size_bytes,
        .erase_bytes = nor->geometry.erase_bytes,
        .program_bytes = nor->geometry.program_bytes,
        .erased = nor->geometry.erased,
        .context = nor,
        .program = program,
        .erase = erase,
    };
}
