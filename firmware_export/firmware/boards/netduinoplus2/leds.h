/* The emitters' driver. guard.h has what drives it. */
#ifndef LEDS_H
#define LEDS_H

#include <stdint.h>

/* Once. timer_hz: the clock of TIM1, a multiple of 2 MHz. */
void leds_start(uint32_t timer_hz);

#endif
