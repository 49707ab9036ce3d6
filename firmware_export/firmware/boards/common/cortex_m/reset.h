/* How a Cortex-M starts again. Source: Armv7-M Architecture Reference Manual, B3.2 (AIRCR). */
#ifndef RESET_H
#define RESET_H

#include <stdbool.h>
#include <stdint.h>

#define AIRCR (*(volatile uint32_t *)0xE000ED0Cu)
#define AIRCR_RESET_REQUEST (0x05FA0000u | 4u)

static inline void reset_core(void)
{
    __asm volatile("dsb" ::: "memory");
    AIRCR = AIRCR_RESET_REQUEST;
    for (;;)
        ;
}

/* Whether power or the reset pin did it, and not the program or its watchdog. A part that can tell has its
 * own; of power-on RAM tells on the others. */
bool reset_from_outside(void);

#endif
