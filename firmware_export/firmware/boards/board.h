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

/* Starts the firmware again, from main, with what flash holds. Bytes already written still go out. */
void board_restart(void); /* does not return */

#endif
