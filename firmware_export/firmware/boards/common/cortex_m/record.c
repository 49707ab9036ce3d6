/* The guard's record, in RAM that the start leaves alone (section .kept of sections.ld), and its restart.
 * Source: Armv7-M Architecture Reference Manual, B3.2 (AIRCR). */
#include "guard.h"
#include "reset.h"

#define MARK 0x70736F67u /* "psog"; RAM after power-on holds anything */

static volatile struct {
    uint32_t mark;
    uint32_t record;   /* restarts, and 1 << 8 while running */
    uint32_t inverted; /* of record */
} kept __attribute__((section(".kept")));

bool guard_read_record(struct guard_record *record)
{
    if (kept.mark != MARK || kept.inverted != ~kept.record || reset_from_outside())
        return false;
    *record = (struct guard_record){(uint8_t)kept.record, kept.record >> 8 != 0};
    return true;
}

void guard_write_record(struct guard_record record)
{
    kept.mark = 0;
    kept.record = record.restarts | (record.running ? 1u << 8 : 0);
    kept.inverted = ~kept.record;
    kept.mark = MARK;
}

void guard_restart(void)
{
    reset_core();
}
