/* UART 0 (link) and UART 1 (sensor bus) of the LM3S6965: Arm's PL011.
 * Source: Arm DDI 0183, 3.3; TI LM3S6965 data sheet, memory map and interrupts. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

struct uart {
    volatile uint32_t data, receive_status, unused1[4];
    volatile uint32_t flags, unused2[2];
    volatile uint32_t integer_divider, fraction_divider;
    volatile uint32_t line, control;
    volatile uint32_t fifo_levels, interrupt_mask, raw_interrupts, interrupts, interrupt_clear;
};
#define LINK_UART ((struct uart *)0x4000C000u)
#define LINK_INTERRUPT 5u
#define SENSOR_UART ((struct uart *)0x4000D000u)
#define SENSOR_INTERRUPT 6u

#define UART_FLAG_BUSY (1u << 3)
#define UART_FLAG_RECEIVE_EMPTY (1u << 4)
#define UART_FLAG_SEND_FULL (1u << 5)
#define UART_LINE_FIFO (1u << 4)
#define UART_LINE_8_BITS (3u << 5)
#define UART_CONTROL_ON (1u << 0)
#define UART_CONTROL_SEND (1u << 8)
#define UART_CONTROL_RECEIVE (1u << 9)
#define UART_INTERRUPT_RECEIVED (1u << 4)
#define UART_INTERRUPT_SENT (1u << 5)
#define UART_INTERRUPT_WAITING (1u << 6) /* fewer bytes than the FIFO's level, for a while */

static inline void uart_acknowledge(struct uart *uart)
{
    uart->interrupt_clear = UART_INTERRUPT_RECEIVED | UART_INTERRUPT_SENT | UART_INTERRUPT_WAITING;
}

static inline bool uart_received(const struct uart *uart)
{
    return (uart->flags & UART_FLAG_RECEIVE_EMPTY) == 0;
}

static inline uint8_t uart_take(struct uart *uart)
{
    return (uint8_t)uart->data;
}

static inline bool uart_can_send(const struct uart *uart)
{
    return (uart->flags & UART_FLAG_SEND_FULL) == 0;
}

static inline void uart_send(struct uart *uart, uint8_t byte)
{
    uart->data = byte;
}

static inline void uart_interrupt_when_sent(struct uart *uart, bool on)
{
    uart->interrupt_mask =
        on ? uart->interrupt_mask | UART_INTERRUPT_SENT : uart->interrupt_mask & ~UART_INTERRUPT_SENT;
}

static inline bool uart_sent_all(const struct uart *uart)
{
    return (uart->flags & UART_FLAG_BUSY) == 0;
}

#endif
