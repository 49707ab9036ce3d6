/* Boards with two UARTs: one is the link, the other the sensor bus. Their own folder has hardware.c and
 * uart.h. Source: Armv7-M Architecture Reference Manual, B1.5 (WFI). */
#include "board.h"

#include "guard.h"
#include "hardware.h"
#include "reset.h"
#include "serial.h"

static struct psog_flash flash;

void board_init(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    hardware_start();
    flash = hardware_flash();
    serial_start();
}

const struct psog_flash *board_flash(void)
{
    return &flash;
}

size_t board_link_read(uint8_t *bytes, size_t capacity)
{
    return serial_read(&serial_link, bytes, capacity);
}

size_t board_link_write(const uint8_t *bytes, size_t count)
{
    return serial_write(&serial_link, bytes, count);
}

size_t board_sensor_read(uint8_t *bytes, size_t capacity)
{
    return serial_read(&serial_sensors, bytes, capacity);
}

size_t board_sensor_write(const uint8_t *bytes, size_t count)
{
    return serial_write(&serial_sensors, bytes, count);
}

void board_wait(struct board_interest interest)
{
    /* With interrupts held back, one that comes after the look still ends WFI. */
    __asm volatile("cpsid i" ::: "memory");
    bool received = serial_waiting(&serial_sensors) > 0 ||
                    (interest.link_bytes && serial_waiting(&serial_link) > 0);
    bool room = (interest.link_room && serial_room(&serial_link) > 0) ||
                (interest.sensor_room && serial_room(&serial_sensors) > 0);
    if (!received && !room)
        __asm volatile("wfi" ::: "memory");
    __asm volatile("cpsie i" ::: "memory");
}

void board_restart(void)
{
    guard_stand_down();
    serial_flush(&serial_link);
    reset_core();
}
