#include "serial.h"

#include "uart.h"

/* One bit for each interrupt. Source: Armv7-M Architecture Reference Manual, B3.4. */
#define NVIC_ENABLE ((volatile uint32_t *)0xE000E100u)
#define NVIC_DISABLE ((volatile uint32_t *)0xE000E180u)
#define NVIC_PRIORITY ((volatile uint8_t *)0xE000E400u)
#define AFTER_THE_GUARD 0x80u

struct serial {
    struct uart *uart;
    uint32_t interrupt;
    struct ring received, sending;
};
struct serial serial_link, serial_sensors;

static void listen(uint32_t interrupt, bool on)
{
    (on ? NVIC_ENABLE : NVIC_DISABLE)[interrupt / 32u] = 1u << interrupt % 32u;
}

static void hold_interrupts(void)
{
    __asm volatile("cpsid i" ::: "memory");
}

static void let_interrupts(void)
{
    __asm volatile("cpsie i" ::: "memory");
}

static void open(struct serial *port, struct uart *uart, uint32_t interrupt)
{
    port->uart = uart;
    port->interrupt = interrupt;
    NVIC_PRIORITY[interrupt] = AFTER_THE_GUARD;
    listen(interrupt, true);
}

void serial_start(void)
{
    open(&serial_link, LINK_UART, LINK_INTERRUPT);
    open(&serial_sensors, SENSOR_UART, SENSOR_INTERRUPT);
#ifdef LINK_SENT_INTERRUPT
    NVIC_PRIORITY[LINK_SENT_INTERRUPT] = AFTER_THE_GUARD;
    NVIC_PRIORITY[SENSOR_SENT_INTERRUPT] = AFTER_THE_GUARD;
    listen(LINK_SENT_INTERRUPT, true);
    listen(SENSOR_SENT_INTERRUPT, true);
#endif
}

/* Where the ring is full, the byte stays in the UART and the interrupt is held off until there is room: with
 * flow control (and in QEMU) the other end then waits. */
static void receive(struct serial *port)
{
    while (ring_room(&port->received) > 0 && uart_received(port->uart))
        ring_put(&port->received, uart_take(port->uart));
    listen(port->interrupt, ring_room(&port->received) > 0);
}

static void send(struct serial *port)
{
    while (ring_count(&port->sending) > 0 && uart_can_send(port->uart))
        uart_send(port->uart, ring_take(&port->sending));
    uart_interrupt_when_sent(port->uart, ring_count(&port->sending) > 0);
}

static void serve(struct serial *port)
{
    uart_acknowledge(port->uart);
    receive(port);
    send(port);
}

void serial_link_interrupt(void)
{
    serve(&serial_link);
}

void serial_sensors_interrupt(void)
{
    serve(&serial_sensors);
}

/* Looks at the UART too: one that interrupts only at the moment when a byte comes has told of it already. */
size_t serial_read(struct serial *port, uint8_t *bytes, size_t capacity)
{
    size_t count = ring_read(&port->received, bytes, capacity);
    hold_interrupts();
    receive(port);
    let_interrupts();
    return count;
}

/* The first byte goes out at once: what follows it comes by interrupt. */
size_t serial_write(struct serial *port, const uint8_t *bytes, size_t count)
{
    size_t written = ring_write(&port->sending, bytes, count);
    hold_interrupts();
    send(port);
    let_interrupts();
    return written;
}

size_t serial_waiting(const struct serial *port)
{
    return ring_count(&port->received);
}

size_t serial_room(const struct serial *port)
{
    return ring_room(&port->sending);
}

void serial_flush(struct serial *port)
{
    while (ring_count(&port->sending) > 0 || !uart_sent_all(port->uart))
        ;
}
