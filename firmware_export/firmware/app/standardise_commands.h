/* Commands that have the sensors of this headset seen as those of the training were. docs/SPEC.md. */
#ifndef STANDARDISE_COMMANDS_H
#define STANDARDISE_COMMANDS_H

#include "app.h"

enum psog_error standardise_begin(struct app *app, const uint8_t *payload);
enum psog_error standardise_read(struct app *app, const uint8_t *payload);
enum psog_error standardise_apply(struct app *app, const uint8_t *payload);

/* What STANDARDISE_READ asked for. */
void reply_standardise_means(struct app *app, uint16_t sequence);

#endif
