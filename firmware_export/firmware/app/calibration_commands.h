/* A user's calibration as bytes: told to the host, and taken from it. */
#ifndef CALIBRATION_COMMANDS_H
#define CALIBRATION_COMMANDS_H

#include "app.h"

enum psog_error calibration_read(struct app *app, const uint8_t *payload);
enum psog_error calibration_write(struct app *app, const uint8_t *payload);

/* CALIBRATION_PIECE, once calibration_read has succeeded. */
void reply_calibration_piece(struct app *app, uint16_t sequence);

#endif
