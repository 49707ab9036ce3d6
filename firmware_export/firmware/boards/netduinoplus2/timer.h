/* Microseconds, to bound waits with. */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* Starts TIM2. kernel_hz: its clock, a whole number of MHz. May be called again when that changes. */
void timer_start(uint32_t kernel_hz);

/* Since it was started, modulo 2^32. */
uint32_t timer_us(void);

/* Waits until the masked bits of a register have the value; false when they have not after timeout_us. */
bool timer_wait(const volatile uint32_t *bits, uint32_t mask, uint32_t value, uint32_t timeout_us);

#endif
