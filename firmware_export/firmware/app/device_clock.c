#include "device_clock.h"

/* A reading that is later than any waits on the bus is of a clock that was set back or stood still: the
 * longest that a virtual headset's sensors catch up with (psog/virtual/feeder.py), longer than any part's. */
#define LATEST_US 50000u
/* Between readings that are on time the clock runs slower than the board's by this share, 244 ppm: more than
 * two oscillators differ, so that readings on time are never behind it. */
#define SLOWER_SHARE 4096u
#define LONG_US 0x40000000u

static uint32_t passed(const struct device_clock *clock, uint32_t board_us)
{
    return board_us - clock->board_us; /* right across a wrap of the board's clock */
}

void device_clock_reading(struct device_clock *clock, uint64_t t_us, uint32_t board_us)
{
    /* A reading can only be late: when it comes in, the clock has shown its stamp already. */
    uint32_t least_us = passed(clock, board_us);
    least_us -= least_us / SLOWER_SHARE;
    uint64_t late_us = clock->t_us + least_us - t_us;
    if (!clock->set || late_us == 0 || late_us > LATEST_US)
        *clock = (struct device_clock){true, t_us, board_us};
}

bool device_clock_now(struct device_clock *clock, uint32_t board_us, uint64_t *t_us)
{
    *t_us = clock->t_us + passed(clock, board_us);
    if (passed(clock, board_us) >= LONG_US)
        *clock = (struct device_clock){clock->set, *t_us, board_us};
    return clock->set;
}
