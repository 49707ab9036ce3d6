/* What the application needs of a board: write these three functions for yours. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>

#include "gaze.h"

/* Waits for the next reading of all sensors, left-aligned to 16 bits. False: there will be no more. */
bool board_reading(uint16_t readings[GAZE_SENSORS]);

/* A reading's gaze is known. */
void board_gaze(const float output[GAZE_OUTPUTS]);

/* The application is ready (GAZE_OK, arena_bytes in use), or gives up with this error. */
void board_status(enum gaze_error error, size_t arena_bytes);

#endif
