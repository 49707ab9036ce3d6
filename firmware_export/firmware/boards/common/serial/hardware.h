/* What a board with two UARTs has in its own folder: this, and uart.h. The rest of board.h is board.c. */
#ifndef HARDWARE_H
#define HARDWARE_H

#include "psog.h"

/* Once, first of all: clocks, pins, and both UARTs, which from now on interrupt when a byte has come. */
void hardware_start(void);

/* Of the core, and of its SysTick: what hardware_start has made it, or what it is after reset. */
uint32_t hardware_core_hz(void);

/* The part's own watchdog, for when even interrupts no longer come: resets the core when it is not fed for
 * HARDWARE_WATCHDOG_US at the least, which the erase of a flash sector must fit into. A part without one does
 * nothing, and is not safe without another cure for that. */
#define HARDWARE_WATCHDOG_US 3000000u
void hardware_watchdog_start(void);
void hardware_watchdog_feed(void);

/* Once: the region for models and calibrations. */
struct psog_flash hardware_flash(void);

#endif
