/* The independent watchdog, which has an oscillator of its own. QEMU has none: there the guard's tick alone
 * starts a firmware again that has hung.
 * Sources: RM0090 7.3.21 (why it was reset), 21 (IWDG); DS8626 5.3.9 (LSI: 17 to 47 kHz). */
#include "hardware.h"
#include "registers.h"
#include "reset.h"
#include "timer.h"

#ifdef PSOG_SILICON

#define FASTEST_HZ 47000u /* with the slowest it takes 2.8 times as long */
#define DIVISOR 64u
#define COUNT (FASTEST_HZ / 1000u * (HARDWARE_WATCHDOG_US / 1000u) / DIVISOR + 1u)
#define TAKEN_OVER_US 1000u /* five periods of the slowest are 0.3 ms */

void hardware_watchdog_start(void)
{
    IWDG->kr = IWDG_START;
    IWDG->kr = IWDG_UNLOCK;
    IWDG->pr = IWDG_BY_64;
    IWDG->rlr = COUNT;
    (void)timer_wait(&IWDG->sr, UINT32_MAX, 0, TAKEN_OVER_US);
    hardware_watchdog_feed();
}

void hardware_watchdog_feed(void)
{
    IWDG->kr = IWDG_FEED;
}

/* The flags stay until they are cleared. */
bool reset_from_outside(void)
{
    uint32_t why = RCC->csr;
    RCC->csr = RCC_CSR_FORGET;
    return (why & (RCC_CSR_BY_PROGRAM | RCC_CSR_BY_WATCHDOG)) == 0;
}

#else

void hardware_watchdog_start(void)
{
}

void hardware_watchdog_feed(void)
{
}

#endif
