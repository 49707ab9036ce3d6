/* What a board with two UARTs has in its own folder: this, and uart.h. The rest of board.h is board.c. */
#ifndef HARDWARE_H
#define HARDWARE_H

#include "psog.h"

/* Once, first of all: clocks, pins, and both UARTs, which from now on interrupt when a byte has come. */
void hardware_start(void);

/* Once: the region for models and calibrations. */
struct psog_flash hardware_flash(void);

#endif
