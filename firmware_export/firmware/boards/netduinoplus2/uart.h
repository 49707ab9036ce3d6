/* USART1 (link) and USART2 (sensor bus) of the STM32F405. Source: ST RM0090 30.6; interrupts: 12.2. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

struct uart {
    volatile uint32_t sr, dr, brr, cr1, cr2, cr3;
};
#define LINK_UART ((struct uart *)0x40011000u)
#define LINK_INTERRUPT 37u
#define SENSOR_UART ((struct uart *)0x40004400u)
#define SENSOR_INTERRUPT 38u

#define USART_SR_ORE (1u << 3)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TC (1u << 6)
#define USART_SR_TXE (1u << 7)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_TXEIE (1u << 7)
#define USART_CR1_UE (1u << 13)
#define USART_CR3_RTSE (1u << 8)

/* Reading and writing data does it; but an overrun may be left alone, and interrupts until data is read. */
static inline void uart_acknowledge(struct uart *uart)
{
    if ((uart->sr & (USART_SR_ORE | USART_SR_RXNE)) == USART_SR_ORE)
        (void)uart->dr;
}

static inline bool uart_received(const struct uart *uart)
{
    return (uart->sr & USART_SR_RXNE) != 0;
}

static inline uint8_t uart_take(struct uart *uart)
{
    return (uint8_t)uart->dr;
}

static inline bool uart_can_send(const struct uart *uart)
{
    return (uart->sr & USART_SR_TXE) != 0;
}

static inline void uart_send(struct uart *uart, uint8_t byte)
{
    uart->dr = byte;
}

static inline void uart_interrupt_when_sent(struct uart *uart, bool on)
{
    uart->cr1 = on ? uart->cr1 | USART_CR1_TXEIE : uart->cr1 & ~USART_CR1_TXEIE;
}

static inline bool uart_sent_all(const struct uart *uart)
{
    return (uart->sr & USART_SR_TC) != 0;
}

#endif
