/* Stellaris LM3S6965 evaluation board, in QEMU only: a Cortex-M3 without DSP instructions and floating-point
 * unit, and with 64 KB of RAM, of which the emulated flash has half.
 * Sources: Arm DDI 0183 (PL011); TI LM3S6965 data sheet, system control. */
#include "hardware.h"

#include "emulated_flash.h"
#include "sim_flash.h"
#include "uart.h"

const char BOARD_NAME[] = "lm3s6965evb";

#define CLOCK_HZ 12000000u /* after reset: the internal oscillator */
#define BAUD 921600u       /* docs/SPEC.md, Serial port */

static void start_uart(struct uart *uart)
{
    uint32_t divider = (4u * CLOCK_HZ + BAUD / 2u) / BAUD; /* in 64ths of clock / (16 · baud) */
    uart->integer_divider = divider / 64u;
    uart->fraction_divider = divider % 64u;
    uart->line = UART_LINE_8_BITS | UART_LINE_FIFO;
    uart->interrupt_mask = UART_INTERRUPT_RECEIVED | UART_INTERRUPT_WAITING;
    uart->control = UART_CONTROL_ON | UART_CONTROL_SEND | UART_CONTROL_RECEIVE;
}

void hardware_start(void)
{
    start_uart(LINK_UART);
    start_uart(SENSOR_UART);
}

#define MODEL_SLOT_BYTES (13u * 1024u)

static uint8_t memory[SIM_FLASH_REGION_BYTES(MODEL_SLOT_BYTES)]
    __attribute__((section(".external"), aligned(8)));

struct psog_flash hardware_flash(void)
{
    return emulated_flash(memory, sizeof memory);
}
