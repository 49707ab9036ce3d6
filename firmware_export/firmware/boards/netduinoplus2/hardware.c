/* Netduino Plus 2 (STM32F405RG). The same sources make the program for the part (with PSOG_SILICON) and for
 * QEMU; only flash_*.c differ.
 * Sources: ST RM0090 8 (GPIO), 30.3.4 (baud rate); DS8626 table 9 (alternate functions). */
#include "hardware.h"

#include "board.h"
#include "clock.h"
#include "led_driver.h"
#include "registers.h"
#include "timer.h"
#include "uart.h"

const char BOARD_NAME[] = "netduinoplus2";

#define BAUD 921600u /* docs/SPEC.md, Serial port */
#define ALTERNATE_USART 7u /* of USART1 to USART3 */

/* Pulled up, so that an open input is an idle line. */
static struct clocks clocks;

static void connect_pin(uint32_t pin)
{
    GPIOA->moder |= GPIO_MODE_ALTERNATE << 2u * pin;
    GPIOA->ospeedr |= GPIO_SPEED_HIGH << 2u * pin;
    GPIOA->pupdr |= GPIO_PULL_UP << 2u * pin;
    GPIOA->afr[pin / 8u] |= ALTERNATE_USART << 4u * (pin % 8u);
}

/* The divider counts sixteenths of the bit's sixteen samples, so it is clock / baud: 91.1 at 84 MHz (the
 * nearest whole number is 0.2 % off), 45.6 at 42 MHz (0.9 %); 17.4 at 16 MHz (2.1 %, too much for some).
 * RTS asks the other end to wait while a byte has not been taken. */
static void start_usart(struct uart *uart, uint32_t clock_hz)
{
    uart->brr = (clock_hz + BAUD / 2u) / BAUD;
    uart->cr3 = USART_CR3_RTSE;
    uart->cr1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
}

void hardware_start(void)
{
    /* USART1: RTS PA12, TX PA9, RX PA10. USART2: RTS PA1, TX PA2, RX PA3. */
    static const uint8_t pins[] = {12, 9, 10, 1, 2, 3};
    clocks = clock_start();
    RCC->ahb1enr |= RCC_AHB1ENR_GPIOA;
    RCC->apb1enr |= RCC_APB1ENR_USART2;
    RCC->apb2enr |= RCC_APB2ENR_USART1;
    (void)RCC->apb2enr; /* their clocks take two cycles to come */
    for (size_t i = 0; i < sizeof pins; i++)
        connect_pin(pins[i]);
    start_usart(LINK_UART, clocks.apb2_hz);
    start_usart(SENSOR_UART, clocks.apb1_hz);
    led_driver_start(clocks.core_hz); /* a timer has twice the clock of a divided bus: RM0090 7.2 */
}

uint32_t board_us(void)
{
    return timer_us();
}

/* QEMU's core has the clock that the machine gives it, whatever a clock controller is told. */
#ifdef PSOG_SILICON
uint32_t hardware_core_hz(void)
{
    return clocks.core_hz;
}
#else
uint32_t hardware_core_hz(void)
{
    return 168000000u;
}
#endif
