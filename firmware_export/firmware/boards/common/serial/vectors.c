/* The part's interrupts, behind the core's (start.c). */
#include "serial.h"
#include "uart.h"

__attribute__((section(".vectors.interrupts"), used)) static void (*const interrupts[])(void) = {
    [LINK_INTERRUPT] = serial_link_interrupt,
    [SENSOR_INTERRUPT] = serial_sensors_interrupt,
#ifdef LINK_SENT_INTERRUPT
    [LINK_SENT_INTERRUPT] = serial_link_interrupt,
    [SENSOR_SENT_INTERRUPT] = serial_sensors_interrupt,
#endif
};
