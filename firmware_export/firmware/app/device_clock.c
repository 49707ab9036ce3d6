#include "device_clock.h"

/* Readings that lie further back than any wait on the bus are of a clock that was set back or stood still.
 * A weak value: twice what a busy computer keeps those of a virtual headset waiting. */
#define LATEST_US 20000u
/* A reading that came late by less puts the clock back by this share of it, so that it follows the readings'
 * oscillator: 100 ppm away from the board's, a thousand a second, it stays within 64 µs of it. */
#define LATE_SHARE 64u

static uint64_t shown(const struct device_clock *clock, uint32_t board_us)
{
    return clock->t_us + (uint32_t)(board_us - clock->board_us); /* the board's clock may have wrapped */
}

void device_clock_reading(struct device_clock *clock, uint64_t t_us, uint32_t board_us)
{
    /* A reading can only be late: the clock has never shown less than its stamp when it comes in. */
    uint64_t late_us = shown(clock, board_us) - t_us;
    if (clock->set && late_us < LATEST_US)
        t_us += late_us - late_us / LATE_SHARE;
    *clock = (struct device_clock){true, t_us, board_us};
}

bool device_clock_now(struct device_clock *clock, uint32_t board_us, uint64_t *t_us)
{
    clock->t_us = shown(clock, board_us);
    clock->board_us = board_us;
    *t_us = clock->t_us;
    return clock->set;
}
