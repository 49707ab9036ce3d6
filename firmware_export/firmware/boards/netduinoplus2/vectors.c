/* The part's interrupts, behind the core's (start.c). Source: RM0090 12.2, vector table. */
#include "registers.h"
#include "serial.h"

__attribute__((section(".vectors.interrupts"), used)) static void (*const interrupts[INTERRUPTS])(void) = {
    [USART1_INTERRUPT] = serial_link_interrupt,
    [USART2_INTERRUPT] = serial_sensors_interrupt,
};
