/* Sources: RM0090 7.2 (clocks), 3.5.1 (wait states at 2.7 to 3.6 V), 5.4.1 (voltage scaling); DS8626
 * (STM32F405xx data sheet) 5.3.1 (limits of the buses), 5.3.8 and 5.3.9 (oscillators), 5.3.10 (PLL). QEMU has
 * no RCC: there no flag is ever set, every wait ends by its bound, and the core goes on as after reset. */
#include "clock.h"

#include "registers.h"
#include "timer.h"

#define HSI_HZ 16000000u /* internal oscillator */
#define HSE_HZ 25000000u /* crystal of the Netduino Plus 2 */
#define PLL_INPUT_HZ 1000000u
#define PLL_FACTOR 336u
#define PLL_USB_DIVISOR 7u /* 48 MHz for USB, which is not used, but the divisor must be valid */
#define CORE_HZ (PLL_INPUT_HZ * PLL_FACTOR / 2u)
#define APB1_HZ (CORE_HZ / 4u) /* 42 MHz at most */
#define APB2_HZ (CORE_HZ / 2u) /* 84 MHz at most */
#define TIMER_HZ (2u * APB1_HZ) /* timers have twice the clock of a divided bus: RM0090 7.2 */

#define CRYSTAL_START_US 100000u /* typically 2 ms; a weak value of ST's own libraries */
#define PLL_LOCK_US 1000u        /* 300 at most */
#define SWITCH_US 1000u          /* a few cycles of the slower clock */

static bool start_crystal(void)
{
    RCC->cr |= RCC_CR_HSEON;
    if (timer_wait(&RCC->cr, RCC_CR_HSERDY, RCC_CR_HSERDY, CRYSTAL_START_US))
        return true;
    RCC->cr &= ~RCC_CR_HSEON;
    return false;
}

static bool start_pll(bool from_crystal)
{
    uint32_t input = from_crystal ? RCC_PLLCFGR_SOURCE_HSE | RCC_PLLCFGR_M(HSE_HZ / PLL_INPUT_HZ)
                                  : RCC_PLLCFGR_M(HSI_HZ / PLL_INPUT_HZ);
    RCC->pllcfgr = RCC_PLLCFGR_RESERVED | input | RCC_PLLCFGR_N(PLL_FACTOR) | RCC_PLLCFGR_P_2 |
                   RCC_PLLCFGR_Q(PLL_USB_DIVISOR);
    RCC->cr |= RCC_CR_PLLON;
    return timer_wait(&RCC->cr, RCC_CR_PLLRDY, RCC_CR_PLLRDY, PLL_LOCK_US);
}

/* Flash must be slow enough for the new clock before it comes. */
static bool slow_flash(void)
{
    uint32_t access = FLASH_ACR_WAIT_STATES_5 | FLASH_ACR_PREFETCH | FLASH_ACR_INSTRUCTION_CACHE |
                      FLASH_ACR_DATA_CACHE;
    FLASH->acr = access;
    return timer_wait(&FLASH->acr, access, access, SWITCH_US);
}

static bool switch_to_pll(void)
{
    RCC->cfgr = RCC_CFGR_APB1_BY_4 | RCC_CFGR_APB2_BY_2;
    RCC->cfgr |= RCC_CFGR_SWITCH_PLL;
    return timer_wait(&RCC->cfgr, RCC_CFGR_STATUS, RCC_CFGR_STATUS_PLL, SWITCH_US);
}

struct clocks clock_start(void)
{
    timer_start(HSI_HZ);
    RCC->apb1enr |= RCC_APB1ENR_PWR;
    (void)RCC->apb1enr;
    PWR_CR |= PWR_CR_VOS_SCALE_1;
    if (!start_pll(start_crystal()) || !slow_flash() || !switch_to_pll()) {
        RCC->cfgr = 0;
        RCC->cr &= ~RCC_CR_PLLON;
        return (struct clocks){HSI_HZ, HSI_HZ, HSI_HZ};
    }
    timer_start(TIMER_HZ);
    return (struct clocks){CORE_HZ, APB1_HZ, APB2_HZ};
}
