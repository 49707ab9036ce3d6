/* The core's own timer. Source: Armv7-M Architecture Reference Manual, B3.3. */
#ifndef SYSTICK_H
#define SYSTICK_H

#include <stdbool.h>
#include <stdint.h>

struct systick {
    volatile uint32_t control, reload, value;
};
#define SYSTICK ((struct systick *)0xE000E010u)
#define SYSTICK_ON 7u /* counts the core's clock, and interrupts */

#define ICSR (*(volatile uint32_t *)0xE000ED04u)
#define ICSR_SYSTICK_PENDING (1u << 26)

/* period: in clocks, at most 2^24. The exception has priority 0, before all that are lowered. */
static inline void systick_start(uint32_t period)
{
    SYSTICK->reload = period - 1u;
    SYSTICK->value = 0;
    SYSTICK->control = SYSTICK_ON;
}

static inline bool systick_is_pending(void)
{
    return (ICSR & ICSR_SYSTICK_PENDING) != 0;
}

#endif
