/* The part's UARTs: their registers, their interrupts and the seven things that serial.c asks of them.
 * Here: Arm's CMSDK UART (DDI 0479, 4.3) as an MPS2 has it with AN385 (DAI 0385, memory map, interrupts). */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the reference manual's register table; unused ones keep their place. */
struct uart {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupts; /* read: status; write 1: clear */
    volatile uint32_t divider;
};

/* One UART for the host, one for the sensors; their interrupts by the part's vector table, from 0. */
#define LINK_UART ((struct uart *)0x40004000u)
#define LINK_INTERRUPT 0u
#define SENSOR_UART ((struct uart *)0x40005000u)
#define SENSOR_INTERRUPT 2u

/* Only where sending has an interrupt of its own. */
#define LINK_SENT_INTERRUPT 1u
#define SENSOR_SENT_INTERRUPT 3u

#define UART_SENDING_FULL 1u
#define UART_RECEIVED 2u
#define UART_ENABLE_SENDING 1u
#define UART_ENABLE_RECEIVING 2u
#define UART_INTERRUPT_SENT 4u
#define UART_INTERRUPT_RECEIVED 8u
#define UART_CLEAR_INTERRUPTS 3u

/* Ends the interrupt, where reading and writing data does not do so; one for an overrun too. */
static inline void uart_acknowledge(struct uart *uart)
{
    uart->interrupts = UART_CLEAR_INTERRUPTS;
}

/* Whether there is a byte to take. */
static inline bool uart_received(const struct uart *uart)
{
    return (uart->state & UART_RECEIVED) != 0;
}

static inline uint8_t uart_take(struct uart *uart)
{
    return (uint8_t)uart->data;
}

/* Whether a byte can be written, though the one before may still be on its way. */
static inline bool uart_can_send(const struct uart *uart)
{
    return (uart->state & UART_SENDING_FULL) == 0;
}

static inline void uart_send(struct uart *uart, uint8_t byte)
{
    uart->data = byte;
}

/* Whether to interrupt once another byte can be written. */
static inline void uart_interrupt_when_sent(struct uart *uart, bool on)
{
    uart->control = on ? uart->control | UART_INTERRUPT_SENT : uart->control & ~UART_INTERRUPT_SENT;
}

/* Whether the last byte has left: a restart must not cut it off. */
static inline bool uart_sent_all(const struct uart *uart)
{
    return (uart->state & UART_SENDING_FULL) == 0;
}

#endif
