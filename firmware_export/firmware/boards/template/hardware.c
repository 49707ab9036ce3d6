/* The smallest board: a copy of this folder, made yours. As it is it runs on an MPS2 with AN385 (Cortex-M3),
 * so a copy works from the start and stays testable while it changes. docs/porting.md goes with you. */
#include "hardware.h"

#include "emulated_flash.h"
#include "sim_flash.h"
#include "uart.h"

const char BOARD_NAME[] = "template"; /* at most 15 characters */

#define CLOCK_HZ 25000000u /* of the UARTs */
#define BAUD 921600u       /* docs/SPEC.md, Serial port */

static void start_uart(struct uart *uart)
{
    uart->divider = (CLOCK_HZ + BAUD / 2u) / BAUD;
    uart->control = UART_ENABLE_SENDING | UART_ENABLE_RECEIVING | UART_INTERRUPT_RECEIVED;
    (void)uart->data; /* bytes that came early wait in QEMU until the first read */
}

/* A real part needs more before its UARTs: the oscillator and the PLL with flash wait states for the new
 * clock, clocks of the peripherals it uses, and pins that are given to the UARTs. Every wait for hardware has
 * an end. netduinoplus2/clock.c and hardware.c do all of it. */
void hardware_start(void)
{
    start_uart(LINK_UART);
    start_uart(SENSOR_UART);
}

#define MODEL_SLOT_BYTES (64u * 1024u)

static uint8_t memory[SIM_FLASH_REGION_BYTES(MODEL_SLOT_BYTES)]
    __attribute__((section(".external"), aligned(8)));

/* QEMU emulates hardly any flash controller, so there the region is RAM and a file. On the part it is flash
 * that the program leaves free, with functions that erase and program it: struct psog_flash in psog.h says
 * what they promise, netduinoplus2/flash_silicon.c shows them. */
struct psog_flash hardware_flash(void)
{
    return emulated_flash(memory, sizeof memory);
}
