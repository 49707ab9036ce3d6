/* The board's own sources for silicon, compiled for the host around a model of the two blocks that QEMU does
 * not have: flash interface and clock controller, as far as RM0090 (chapters 3 and 7) says what a program must
 * observe. The model acts whenever the program names a block or reads the timer. */
#include <string.h>

#include "registers.h"
#include "uart.h"

#define SECTOR (128u * 1024u)
#define READ_US 50u /* of the timer: coarse, so that a second is not too many reads */
#define CRYSTAL_US 2000u
#define LOCKING_US 200u
#define ERASING_US 1000000u
#define WORD_US 16u
#define SHOWN (1u << 30) /* reserved, 0 in the part: FLASH_SR or FLASH_CR without it has been written */

uint8_t link_region_start[4 * SECTOR] __attribute__((aligned(8)));

/* What a test sets and reads. fault: 1 when an operation never ends, 2 when it fails. wrong: the last thing
 * done against the manual. */
struct part {
    uint32_t has_crystal, fault, is_locked, cache_is_old;
    const char *wrong;
} part;

struct rcc rcc = {.cr = 0x83u, .pllcfgr = 0x24003010u};
struct uart link_uart, sensor_uart;
static struct flash_interface flash = {.sr = SHOWN, .cr = SHOWN | FLASH_CR_LOCK};
static struct timer timer;
struct timer led_timer;
struct dac dac;
struct independent_watchdog watchdog;
struct gpio gpio;
static uint32_t power;

static uint8_t kept[sizeof link_region_start]; /* without what was stored since the model last acted */
static uint32_t control = FLASH_CR_LOCK, errors, keys, busy_until_us, crystal_at_us, pll_at_us, pll_is;

static uint32_t busy(void)
{
    return (int32_t)(busy_until_us - timer.cnt) > 0 ? FLASH_SR_BUSY : 0;
}

static void work(uint32_t duration_us)
{
    busy_until_us = timer.cnt + (part.fault == 1 ? INT32_MAX : duration_us);
    errors |= part.fault == 2 ? 1u << 7 : 0;
    part.cache_is_old = 1;
}

static void take_key(uint32_t key)
{
    if (key != (keys++ ? 0xCDEF89ABu : 0x45670123u))
        part.wrong = "wrong key";
    if (keys == 2)
        control = keys = 0;
}

static void take_control(uint32_t value)
{
    uint32_t sector = (value >> 3 & 15u) - 8u;
    if (busy() || control & FLASH_CR_LOCK)
        part.wrong = "FLASH_CR written while busy or locked";
    else if ((control = value & ~(1u << 16)) != value) {
        if ((value & ~(15u << 3)) != (1u << 16 | 2u << 8 | 1u << 1) || sector > 3)
            part.wrong = "erase, but not of a sector of the region";
        else if (part.fault != 2) {
            memset(kept + sector * SECTOR, 0xFF, SECTOR);
            memset(link_region_start + sector * SECTOR, 0xFF, SECTOR);
        }
        work(ERASING_US);
    }
}

static void take_word(uint32_t at)
{
    uint32_t word, old;
    memcpy(&word, link_region_start + at, 4);
    memcpy(&old, kept + at, 4);
    if (word == old)
        return;
    if (busy() || control != (2u << 8 | 1u))
        part.wrong = "flash written while it does not program words";
    word = part.fault == 2 ? old : word & old;
    memcpy(kept + at, &word, 4);
    work(WORD_US);
}

static struct flash_interface *act_flash(void)
{
    if (flash.keyr)
        take_key(flash.keyr);
    if (!(flash.sr & SHOWN))
        errors &= ~flash.sr;
    if (!(flash.cr & SHOWN))
        take_control(flash.cr);
    if (flash.acr & 1u << 12) {
        part.wrong = flash.acr & 1u << 10 ? "data cache reset while it is on" : part.wrong;
        part.cache_is_old = 0;
    }
    /* A store comes after what was written to a register, which names the block. */
    if (memcmp(link_region_start, kept, sizeof kept) != 0)
        for (uint32_t at = 0; at < sizeof kept; at += 4)
            take_word(at);
    memcpy(link_region_start, kept, sizeof kept);
    flash.keyr = 0;
    flash.sr = errors | busy() | SHOWN;
    flash.cr = control | SHOWN;
    part.is_locked = control == FLASH_CR_LOCK;
    return &flash;
}

/* Whether a source that was switched on by now runs after its time. */
static bool runs(bool on, uint32_t *at_us, uint32_t duration_us)
{
    *at_us = !on ? 0 : *at_us ? *at_us : timer.cnt + duration_us;
    return on && timer.cnt >= *at_us;
}

static struct rcc *act_clocks(void)
{
    bool crystal = runs(part.has_crystal && rcc.cr & 1u << 16, &crystal_at_us, CRYSTAL_US);
    bool pll_on = rcc.cr & 1u << 24 && (crystal || !(rcc.pllcfgr & 1u << 22));
    bool pll = runs(pll_on, &pll_at_us, LOCKING_US);
    if (pll_on && pll_is && pll_is != rcc.pllcfgr)
        part.wrong = "PLL changed while it is on";
    pll_is = pll_on ? rcc.pllcfgr : 0;
    rcc.cr = (rcc.cr & ~(1u << 17 | 1u << 25)) | (crystal ? 1u << 17 : 0) | (pll ? 1u << 25 : 0);
    if ((rcc.cfgr & 3u) == 2u) {
        if (!pll || (flash.acr & 7u) < 5u || (rcc.cfgr & 0xFC00u) != 0x9400u) /* buses by 4 and 2 */
            part.wrong = "168 MHz before PLL, wait states and dividers";
        rcc.cfgr |= 2u << 2;
    }
    return &rcc;
}

static struct timer *act_timer(void)
{
    timer.cnt += READ_US;
    (void)act_clocks();
    flash.sr = flash.sr & SHOWN ? errors | busy() | SHOWN : flash.sr;
    return &timer;
}

#undef FLASH
#undef RCC
#undef TIM1
#undef TIM2
#undef DAC
#undef IWDG
#undef GPIOA
#undef PWR_CR
#undef LINK_UART
#undef SENSOR_UART
#define FLASH act_flash()
#define RCC act_clocks()
#define TIM1 (&led_timer)
#define TIM2 act_timer()
#define DAC (&dac)
#define IWDG (&watchdog)
#define GPIOA (&gpio)
#define PWR_CR power
#define LINK_UART (&link_uart)
#define SENSOR_UART (&sensor_uart)
#include "clock.c"
#include "flash_silicon.c"
#include "hardware.c"
#include "led_driver.c"
#include "timer.c"
#include "watchdog.c"
