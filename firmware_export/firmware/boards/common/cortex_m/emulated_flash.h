/* Flash of an emulated board: in memory, and in a file of the computer that runs the emulator, whose path is
 * the semihosting command line. */
#ifndef EMULATED_FLASH_H
#define EMULATED_FLASH_H

#include "psog.h"

/* Once, at the start: reads the file, or makes an erased one. Ends the emulator when that is not possible, or
 * when the file has another size. memory: size bytes, a whole number of SIM_FLASH_ERASE_BYTES. */
struct psog_flash emulated_flash(uint8_t *memory, uint32_t size);

#endif
