/* The guard's tick as a clock, for a part without a timer of 32 bits. */
#ifndef TICKING_H
#define TICKING_H

#include <stdint.h>

/* Microseconds since guard_start_ticking, modulo 2^32. Stands still while the core waits for its flash for
 * longer than a tick. */
uint32_t ticking_us(void);

#endif
