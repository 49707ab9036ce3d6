/* Arm's CMSDK APB watchdog, and Luminary's, which has the same registers. The first time that it runs down
 * it interrupts (on Arm's boards by NMI, which nothing masks); the second time it can reset the core.
 * Sources: Arm DDI 0479, 4.5; TI LM3S6965 data sheet, watchdog timer. QEMU has both. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdint.h>

struct watchdog {
    volatile uint32_t load, value, control, clear, raw_interrupt, interrupt;
    volatile uint32_t unused[762];
    volatile uint32_t lock; /* at 0xC00 */
};

#define WATCHDOG_UNLOCK 0x1ACCE551u
#define WATCHDOG_INTERRUPT 1u
#define WATCHDOG_RESET 2u

/* clock_hz: a multiple of 1 kHz. does: WATCHDOG_INTERRUPT, and perhaps WATCHDOG_RESET. */
static inline void watchdog_start(struct watchdog *watchdog, uint32_t clock_hz, uint32_t period_us,
                                  uint32_t does)
{
    watchdog->lock = WATCHDOG_UNLOCK;
    watchdog->load = clock_hz / 1000u * (period_us / 1000u);
    watchdog->control = does;
    watchdog->lock = 0;
}

/* Of the first time; it runs a whole period again. Clearing alone does that, but may stop QEMU's (7.2). */
static inline void watchdog_acknowledge(struct watchdog *watchdog)
{
    watchdog->lock = WATCHDOG_UNLOCK;
    watchdog->clear = 1;
    watchdog->load = watchdog->load;
    watchdog->lock = 0;
}

#endif
