/* Clock, LEDs and watchdog of the LM3S6965. The evaluation board's one LED, at PF0, stands for the emitters.
 * Source: TI LM3S6965 data sheet: GPIO, watchdog timer; the board's manual for the LED. */
#include "board.h"
#include "guard.h"
#include "hardware.h"
#include "ticking.h"
#include "watchdog.h"

#define CORE_HZ 12500000u /* in QEMU; the part has 12 MHz from its internal oscillator after reset */
#define WATCHDOG ((struct watchdog *)0x40000000u)
#define CLOCKS (*(volatile uint32_t *)0x400FE108u) /* RCGC2 */
#define CLOCKS_PORT_F (1u << 5)
#define PORT_F 0x40025000u
#define LED 1u
#define PORT_F_LED (*(volatile uint32_t *)(PORT_F + (LED << 2))) /* the address masks */
#define PORT_F_OUT (*(volatile uint32_t *)(PORT_F + 0x400u))
#define PORT_F_ENABLE (*(volatile uint32_t *)(PORT_F + 0x51Cu))

volatile uint32_t leds_driven; /* duty << 16 | current */

/* QEMU cannot read this part's timers. */
uint32_t board_us(void)
{
    return ticking_us();
}

void guard_drive_leds(uint8_t duty_percent, uint16_t current_ma)
{
    leds_driven = (uint32_t)duty_percent << 16 | current_ma;
    CLOCKS |= CLOCKS_PORT_F;
    PORT_F_OUT = LED;
    PORT_F_ENABLE = LED;
    PORT_F_LED = duty_percent > 0 && current_ma > 0 ? LED : 0;
}

uint32_t hardware_core_hz(void)
{
    return CORE_HZ;
}

void hardware_watchdog_start(void)
{
    watchdog_start(WATCHDOG, CORE_HZ, HARDWARE_WATCHDOG_US, WATCHDOG_INTERRUPT | WATCHDOG_RESET);
}

void hardware_watchdog_feed(void)
{
    watchdog_acknowledge(WATCHDOG);
}
