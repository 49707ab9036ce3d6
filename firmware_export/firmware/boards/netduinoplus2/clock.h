/* The clock tree: 168 MHz from the crystal, or what can be had. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

struct clocks {
    uint32_t core_hz;
    uint32_t apb1_hz; /* USART2 */
    uint32_t apb2_hz; /* USART1 */
};

/* Raises the clock from the 16 MHz after reset and starts the timer. Without the crystal the PLL runs from
 * the internal oscillator (1 % instead of 50 ppm); if the PLL does not lock, the core stays at 16 MHz. */
struct clocks clock_start(void);

#endif
