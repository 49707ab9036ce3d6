/* The guard's tick by the core's SysTick, which every Cortex-M has. What it cannot do: come while interrupts
 * are held off, or while the core waits for its flash. For that there are the part's own watchdog, and what
 * the board's guard_drive_leds has of hardware that turns itself off. */
#include "ticking.h"

#include "guard.h"
#include "hardware.h"
#include "systick.h"

static volatile uint32_t ticks;

void guard_start_ticking(void)
{
    systick_start(hardware_core_hz() / 1000u * (GUARD_TICK_US / 1000u));
    hardware_watchdog_start();
}

void systick_interrupt(void)
{
    ticks++;
    guard_tick(); /* does not return once the firmware has hung */
    hardware_watchdog_feed();
}

/* A turn of SysTick that its interrupt has not counted yet is still pending. */
uint32_t ticking_us(void)
{
    uint32_t masked;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(masked)::"memory");
    uint32_t turns = ticks, left = SYSTICK->value;
    if (systick_is_pending()) {
        turns++;
        left = SYSTICK->value;
    }
    __asm volatile("msr primask, %0" ::"r"(masked) : "memory");
    uint32_t period = SYSTICK->reload + 1u;
    return turns * GUARD_TICK_US + (period - 1u - left) * GUARD_TICK_US / period;
}
