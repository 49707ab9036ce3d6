/* The clock that stamps the readings, as far as these tell: between them it is carried on by the board's. */
#ifndef DEVICE_CLOCK_H
#define DEVICE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed at the start. */
struct device_clock {
    bool set;          /* there has been a reading */
    uint64_t t_us;     /* of the last reading that was on time */
    uint32_t board_us; /* what the board's clock showed when it came in */
};

/* A reading has come in. t_us: its time stamp; board_us: the board's clock now. */
void device_clock_reading(struct device_clock *clock, uint64_t t_us, uint32_t board_us);

/* What it shows now; false before the first reading. Asked for, or set by a reading, at least once in the 71
 * minutes after which the board's clock begins anew. */
bool device_clock_now(struct device_clock *clock, uint32_t board_us, uint64_t *t_us);

#endif
