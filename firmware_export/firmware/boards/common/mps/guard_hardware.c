/* Clock, LEDs and watchdog of Arm's MPS boards. The first of the FPGA's LEDs stands for the emitters; what is
 * asked of them is in memory, where a test reads it (leds_driven).
 *
 * The watchdog's interrupt is an NMI: it comes whatever the firmware does, and is the guard's tick. That it
 * resets the core when nobody acknowledges the interrupt is left off: QEMU may come to it a tick too late. */
#include "guard.h"

#include "addresses.h"
#include "board.h"
#include "fpgaio.h"
#include "watchdog.h"

#define FPGAIO ((struct fpgaio *)MPS_FPGAIO)
#define WATCHDOG ((struct watchdog *)MPS_WATCHDOG)

volatile uint32_t leds_driven; /* duty << 16 | current */

uint32_t board_us(void)
{
    return FPGAIO->counter;
}

void guard_drive_leds(uint8_t duty_percent, uint16_t current_ma)
{
    leds_driven = (uint32_t)duty_percent << 16 | current_ma;
    FPGAIO->leds = duty_percent > 0 && current_ma > 0 ? FPGAIO_LED : 0;
}

void guard_start_ticking(void)
{
    fpgaio_start_counter(FPGAIO, MPS_FPGAIO_HZ);
    watchdog_start(WATCHDOG, MPS_WATCHDOG_HZ, GUARD_TICK_US, WATCHDOG_INTERRUPT);
}

void nmi_interrupt(void)
{
    guard_tick();
    watchdog_acknowledge(WATCHDOG);
}
