/* The emitters' driver. guard.h has what drives it. */
#ifndef LED_DRIVER_H
#define LED_DRIVER_H

#include <stdint.h>

/* Once. timer_hz: the clock of TIM1, a multiple of 2 MHz. */
void led_driver_start(uint32_t timer_hz);

#endif
