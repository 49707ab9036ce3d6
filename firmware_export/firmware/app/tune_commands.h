/* Commands about the wearer: calibrations, and forgetting them. commands.c has the table. docs/SPEC.md. */
#ifndef TUNE_COMMANDS_H
#define TUNE_COMMANDS_H

#include "app.h"

enum psog_error tune_begin(struct app *app, const uint8_t *payload);
enum psog_error tune_target(struct app *app, const uint8_t *payload);
enum psog_error tune_forget(struct app *app, const uint8_t *payload);
enum psog_error tune_solve(struct app *app, const uint8_t *payload);
enum psog_error tune_accept(struct app *app, const uint8_t *payload);
enum psog_error tune_discard(struct app *app, const uint8_t *payload);
enum psog_error calibration_erase(struct app *app, const uint8_t *payload);

/* Leaves nothing in RAM of a wearer whose calibration is in progress, on trial or on its way: records are put
 * together where activations are. */
void forget_wearer(struct app *app);

#endif
