/* NOR flash that loses its power: a model of what a cut leaves behind.
 *
 * Every program unit and every erase block is an operation; the power goes at one of them. What was under way
 * is then left in one of these ways, and whatever reads at random is drawn anew at every restart. */
#ifndef NOR_H
#define NOR_H

#include "psog.h"

#define NOR_MAX_BYTES 20480u
#define NOR_MAX_BLOCKS 512u
#define NOR_MAX_UNIT 8u
#define NOR_MAX_TORN 64u
#define NOR_NEVER UINT32_MAX

enum nor_tear {
    NOR_BEFORE,   /* it had not begun */
    NOR_PART,     /* a unit: some of its bits are programmed. a block: some are erased */
    NOR_UNSTABLE, /* every bit that was to change reads at random */
    NOR_FLICKERS, /* a unit reads as before, as it was to be, or as anything between. a block: UNSTABLE */
    NOR_AHEAD,    /* a unit is there, whole. a block: some units were programmed first, as erasing begins */
    NOR_TEARS,
};

struct nor_geometry {
    uint32_t size_bytes, erase_bytes, program_bytes;
    uint8_t erased;
};

/* A unit that reads as it likes. */
struct nor_torn {
    uint32_t offset;
    uint8_t before[NOR_MAX_UNIT], after[NOR_MAX_UNIT];
};

/* Copied as a whole to come back to a moment. */
struct nor {
    struct nor_geometry geometry;
    uint64_t random;
    uint32_t operations; /* since it was set to 0 */
    uint32_t cut_at;     /* the operation during which the power goes, counted from 0; NOR_NEVER */
    enum nor_tear tear;
    bool off;
    uint32_t torn_count;
    struct nor_torn torn[NOR_MAX_TORN];
    uint32_t erases[NOR_MAX_BLOCKS];
    uint8_t reads[NOR_MAX_BYTES]; /* what the core sees; at a multiple of 4 */
    uint8_t weak[NOR_MAX_BYTES];  /* bits that a cut has left between */
};

void nor_begin(struct nor *nor, struct nor_geometry geometry, uint64_t seed);

/* The region as the runtime sees it. */
struct psog_flash nor_region(struct nor *nor);

/* Power is back: what reads at random is drawn. */
void nor_restart(struct nor *nor);

uint32_t nor_random(struct nor *nor, uint32_t below);

#endif
