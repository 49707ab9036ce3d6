/* Clock, LEDs and watchdog; here those of an MPS2 with AN385. */
#include "board.h"
#include "fpgaio.h"
#include "guard.h"
#include "hardware.h"
#include "watchdog.h"

#define FPGAIO ((struct fpgaio *)0x40028000u)
#define WATCHDOG ((struct watchdog *)0x40008000u)
#define CLOCK_HZ 25000000u /* of all of it */

volatile uint32_t leds_driven; /* duty << 16 | current */

/* A timer of 32 bits that counts microseconds and goes round; if it is narrower, systick_interrupt's place is
 * where to count its turns. It must go on while flash is erased. */
uint32_t board_us(void)
{
    return FPGAIO->counter;
}

/* On the part: the current by a digital-to-analogue converter, the duty by a timer's output, best by one that
 * stops by itself after BOARD_LEDS_US (netduinoplus2/led_driver.c). A resistor pulls the output down: dark
 * after reset, whatever the program does. */
void guard_drive_leds(uint8_t duty_percent, uint16_t current_ma)
{
    leds_driven = (uint32_t)duty_percent << 16 | current_ma;
    FPGAIO->leds = duty_percent > 0 && current_ma > 0 ? FPGAIO_LED : 0;
}

uint32_t hardware_core_hz(void)
{
    return CLOCK_HZ;
}

void hardware_watchdog_start(void)
{
    fpgaio_start_counter(FPGAIO, CLOCK_HZ);
    watchdog_start(WATCHDOG, CLOCK_HZ, HARDWARE_WATCHDOG_US, WATCHDOG_INTERRUPT | WATCHDOG_RESET);
}

void hardware_watchdog_feed(void)
{
    watchdog_acknowledge(WATCHDOG);
}
