/* Sources: RM0090 30 (USART), 8 (GPIO); DS8626 table 9 (alternate functions). */
#include "serial.h"

#include "registers.h"

#define BAUD 921600u /* docs/SPEC.md, Serial port */
#define ALTERNATE_USART 7u /* of USART1 to USART3 */

struct serial {
    struct usart *registers;
    uint32_t interrupt;
    struct ring received, sending;
};
struct serial serial_link, serial_sensors;

/* Pulled up, so that an open input is an idle line. */
static void connect_pin(uint32_t pin)
{
    GPIOA->moder |= GPIO_MODE_ALTERNATE << 2u * pin;
    GPIOA->ospeedr |= GPIO_SPEED_HIGH << 2u * pin;
    GPIOA->pupdr |= GPIO_PULL_UP << 2u * pin;
    GPIOA->afr[pin / 8u] |= ALTERNATE_USART << 4u * (pin % 8u);
}

static void listen(const struct serial *port, bool on)
{
    (on ? NVIC_ENABLE : NVIC_DISABLE)[port->interrupt / 32u] = 1u << port->interrupt % 32u;
}

/* The divider counts sixteenths of the bit's sixteen samples, so it is clock / baud: 91.1 at 84 MHz (the
 * nearest whole number is 0.2 % off), 45.6 at 42 MHz (0.9 %); 17.4 at 16 MHz (2.1 %, too much for some). */
static void start(struct serial *port, struct usart *registers, uint32_t interrupt, uint32_t clock_hz)
{
    port->registers = registers;
    port->interrupt = interrupt;
    port->registers->brr = (clock_hz + BAUD / 2u) / BAUD;
    port->registers->cr3 = USART_CR3_RTSE;
    port->registers->cr1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    listen(port, true);
}

void serial_start(struct clocks clocks)
{
    /* USART1: RTS PA12, TX PA9, RX PA10. USART2: RTS PA1, TX PA2, RX PA3. */
    static const uint8_t pins[] = {12, 9, 10, 1, 2, 3};
    RCC->ahb1enr |= RCC_AHB1ENR_GPIOA;
    RCC->apb1enr |= RCC_APB1ENR_USART2;
    RCC->apb2enr |= RCC_APB2ENR_USART1;
    (void)RCC->apb2enr; /* their clocks take two cycles to come */
    for (size_t i = 0; i < sizeof pins; i++)
        connect_pin(pins[i]);
    start(&serial_link, USART1, USART1_INTERRUPT, clocks.apb2_hz);
    start(&serial_sensors, USART2, USART2_INTERRUPT, clocks.apb1_hz);
}

/* Called with this interrupt out of the way. */
static void send_waiting(struct serial *port)
{
    struct usart *usart = port->registers;
    while (ring_count(&port->sending) > 0 && (usart->sr & USART_SR_TXE))
        usart->dr = ring_take(&port->sending);
    if (ring_count(&port->sending) > 0)
        usart->cr1 |= USART_CR1_TXEIE;
    else
        usart->cr1 &= ~USART_CR1_TXEIE;
}

/* Where the ring is full, the byte stays in the register: RTS then asks the other end to wait (and QEMU waits
 * by itself). serial_read listens again. */
static void on_interrupt(struct serial *port)
{
    struct usart *usart = port->registers;
    while (ring_room(&port->received) > 0 && (usart->sr & USART_SR_RXNE))
        ring_put(&port->received, (uint8_t)usart->dr);
    if (ring_room(&port->received) == 0)
        listen(port, false);
    send_waiting(port);
}

void serial_link_interrupt(void)
{
    on_interrupt(&serial_link);
}

void serial_sensors_interrupt(void)
{
    on_interrupt(&serial_sensors);
}

size_t serial_read(struct serial *port, uint8_t *bytes, size_t capacity)
{
    size_t count = ring_read(&port->received, bytes, capacity);
    listen(port, true);
    return count;
}

/* The first byte goes out at once, not by interrupt: QEMU raises none for an empty transmitter. */
size_t serial_write(struct serial *port, const uint8_t *bytes, size_t count)
{
    size_t written = ring_write(&port->sending, bytes, count);
    __asm volatile("cpsid i" ::: "memory");
    send_waiting(port);
    __asm volatile("cpsie i" ::: "memory");
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
    while (ring_count(&port->sending) > 0 || !(port->registers->sr & USART_SR_TC))
        ;
}
