/* Between the files of this folder. */
#ifndef GUARD_HARDWARE_H
#define GUARD_HARDWARE_H

#include <stdbool.h>

/* Once, first of all; keeps argv for a restart. */
void guard_hardware_init(int argc, char **argv);

/* Shows the LEDs in the first word of a file: duty in percent << 16 | current in mA. */
bool guard_hardware_share_leds(int fd);

#endif
