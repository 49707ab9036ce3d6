/* What the application asks of a board. A port is one folder with these functions and its start-up code.
 * Every function returns at once, except board_wait and board_restart. */
#ifndef BOARD_H
#define BOARD_H

#include "psog.h"

extern const char BOARD_NAME[]; /* at most 15 characters */

void board_init(int argc, char **argv);

/* The flash region for models and calibrations. */
const struct psog_flash *board_flash(void);

/* The link to the host and the bus to the sensors. read: what has arrived, at most capacity bytes.
 * write: takes as many of the bytes as fit now. Both return the number of bytes. */
size_t board_link_read(uint8_t *bytes, size_t capacity);
size_t board_link_write(const uint8_t *bytes, size_t count);
size_t board_sensor_read(uint8_t *bytes, size_t capacity);
size_t board_sensor_write(const uint8_t *bytes, size_t count);

/* Which events are worth waking up for; bytes from the sensors always are. */
struct board_interest {
    bool link_bytes;  /* the host has sent something */
    bool link_room;   /* the link takes bytes again */
    bool sensor_room; /* the sensor bus takes bytes again */
};

/* Sleeps until one of them may have happened; may return early. */
void board_wait(struct board_interest interest);

/* Free-running microseconds, modulo 2^32. */
uint32_t board_us(void);

/* Drives the emitters: the share of the time that each of them is on, and its current meanwhile; 0 is dark,
 * as they are after every start. What has been asked for lasts BOARD_LEDS_US at most: it is asked for again
 * and again, and a program that has hung, or computes for long, leaves them dark. */
#define BOARD_LEDS_US 8000u
void board_leds(uint8_t duty_percent, uint16_t current_ma);

/* Once, right after board_init: from now on a program that does not feed the watchdog for BOARD_HUNG_US, or
 * that crashes, is started again. Longer than anything that ends takes: the erase of 128 KB of flash takes
 * 2 s (DS8626 5.3.12), and whoever erases more feeds in between. */
#define BOARD_HUNG_US 5000000u
void board_watchdog_start(void);
void board_watchdog_feed(void);

/* How often in a row that has happened since power-on (not what board_restart did); 255: as often or more.
 * board_ran_well begins a new row. */
uint8_t board_hung_restarts(void);
void board_ran_well(void);

/* Starts the firmware again, from main, with what flash holds. Bytes already written still go out. */
void board_restart(void); /* does not return */

#endif
