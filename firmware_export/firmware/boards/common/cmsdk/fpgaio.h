/* What Arm's MPS boards have on their FPGA: two LEDs, and a counter of microseconds.
 * Source: Arm DAI 0385 and 0386, FPGA system control and I/O; QEMU hw/misc/mps2-fpgaio.c. */
#ifndef FPGAIO_H
#define FPGAIO_H

#include <stdint.h>

struct fpgaio {
    volatile uint32_t leds, unused1, buttons, unused2, hertz_1, hertz_100;
    volatile uint32_t counter, prescale; /* one count every prescale + 1 ticks */
};

#define FPGAIO_LED 1u

static inline void fpgaio_start_counter(struct fpgaio *fpgaio, uint32_t clock_hz)
{
    fpgaio->prescale = clock_hz / 1000000u - 1u;
}

#endif
