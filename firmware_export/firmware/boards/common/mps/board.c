/* Arm's MPS boards in QEMU: UART 0 is the link, flash is a file of the host. Readings come through memory, as
 * direct memory access brings them on a real part; UART 1 rings for them and carries what the display shows.
 * A board is its addresses.h, which lies in its own folder.
 * Source: Arm DDI 0479 (CMSDK UART). */
#include "board.h"

#include "addresses.h"
#include "emulated_flash.h"
#include "guard.h"
#include "reset.h"
#include "sim_flash.h"

const char BOARD_NAME[] = MPS_BOARD_NAME;

struct uart {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupts; /* read: status; write 1: clear */
    volatile uint32_t divider;
};

#define LINK ((struct uart *)MPS_LINK_UART)
#define SENSORS ((struct uart *)MPS_SENSOR_UART)

enum uart_state { TX_FULL = 1, RX_FULL = 2 };
enum uart_control { ENABLE_TX = 1, ENABLE_RX = 2, INTERRUPT_TX = 4, INTERRUPT_RX = 8 };
enum uart_interrupt { SENT = 1, RECEIVED = 2 };
#define FASTEST_DIVIDER 16u

/* One word of each for 32 interrupts. Source: Armv7-M and Armv8-M Architecture Reference Manuals, NVIC. */
#define NVIC_ENABLE ((volatile uint32_t *)0xE000E100u)[MPS_FIRST_INTERRUPT / 32u]
#define NVIC_CLEAR_PENDING ((volatile uint32_t *)0xE000E280u)[MPS_FIRST_INTERRUPT / 32u]
#define UART_INTERRUPTS (0xFu << MPS_FIRST_INTERRUPT % 32u)

/* Memory that the host shares (psog/virtual/bus.py): QEMU passes a UART's bytes one at a time, which is too
 * slow for a thousand readings a second. Both counts only grow, modulo 2^32. */
#define RING_BYTES 8192u
struct ring {
    volatile uint32_t written; /* by the host */
    volatile uint32_t read;    /* by us */
    volatile uint8_t bytes[RING_BYTES];
};
static struct ring readings __attribute__((section(".shared")));

static uint8_t flash_memory[SIM_FLASH_BYTES] __attribute__((section(".external"), aligned(8)));
static struct psog_flash flash;

static void enable(struct uart *uart)
{
    uart->divider = FASTEST_DIVIDER;
    uart->control = ENABLE_TX | ENABLE_RX | INTERRUPT_TX | INTERRUPT_RX;
    (void)uart->data; /* bytes that came early wait in QEMU until the first read */
}

void board_init(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    __asm volatile("cpsid i"); /* a pending interrupt still ends WFI */
    flash = emulated_flash(flash_memory, SIM_FLASH_BYTES);
    NVIC_ENABLE = UART_INTERRUPTS;
    enable(LINK);
    enable(SENSORS);
}

const struct psog_flash *board_flash(void)
{
    return &flash;
}

static size_t uart_read(struct uart *uart, uint8_t *bytes, size_t capacity)
{
    size_t count = 0;
    while (count < capacity && (uart->state & RX_FULL))
        bytes[count++] = (uint8_t)uart->data;
    return count;
}

static size_t uart_write(struct uart *uart, const uint8_t *bytes, size_t count)
{
    size_t sent = 0;
    while (sent < count && !(uart->state & TX_FULL))
        uart->data = bytes[sent++];
    return sent;
}

size_t board_link_read(uint8_t *bytes, size_t capacity)
{
    return uart_read(LINK, bytes, capacity);
}

size_t board_link_write(const uint8_t *bytes, size_t count)
{
    return uart_write(LINK, bytes, count);
}

size_t board_sensor_read(uint8_t *bytes, size_t capacity)
{
    while (SENSORS->state & RX_FULL)
        (void)SENSORS->data; /* the bell has been heard */
    uint32_t position = readings.read;
    uint32_t waiting = readings.written - position;
    size_t count = waiting < capacity ? waiting : capacity;
    __asm volatile("dmb" ::: "memory"); /* the count before the bytes it promises */
    for (size_t i = 0; i < count; i++)
        bytes[i] = readings.bytes[(position + i) % RING_BYTES];
    __asm volatile("dmb" ::: "memory"); /* and the bytes before they may be overwritten */
    readings.read = position + (uint32_t)count;
    return count;
}

size_t board_sensor_write(const uint8_t *bytes, size_t count)
{
    return uart_write(SENSORS, bytes, count);
}

void board_wait(struct board_interest interest)
{
    /* Cleared first and looked at afterwards: what happens in between is pending, and WFI falls through. */
    LINK->interrupts = SENT | RECEIVED;
    SENSORS->interrupts = SENT | RECEIVED;
    NVIC_CLEAR_PENDING = UART_INTERRUPTS;
    bool received = (interest.link_bytes && (LINK->state & RX_FULL)) || (SENSORS->state & RX_FULL) ||
                    readings.written != readings.read;
    bool room = (interest.link_room && !(LINK->state & TX_FULL)) ||
                (interest.sensor_room && !(SENSORS->state & TX_FULL));
    if (!received && !room)
        __asm volatile("wfi" ::: "memory");
}

void board_restart(void)
{
    guard_stand_down();
    while ((LINK->state & TX_FULL) != 0)
        ; /* the last byte is on its way */
    reset_core();
}
