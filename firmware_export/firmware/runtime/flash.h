/* Writing flash so that what was asked for is what lies there. */
#ifndef PSOG_FLASH_H
#define PSOG_FLASH_H

#include "psog.h"

/* The longest calibration record: header, gaze rows, numbers, CRC. */
#define PSOG_CALIBRATION_BYTES (20u + 8u * (PSOG_MAX_FEATURES + 1u) + 4u * PSOG_MAX_NUMBERS + 4u)

/* Programs any number of bytes at a program unit's start and reads them back; the rest of the last unit
 * stays erased. */
enum psog_error psog_flash_write(const struct psog_flash *flash, uint32_t offset, const uint8_t *data,
                                 uint32_t size);

/* Erases the blocks that `size` bytes from a block's start touch, and reads them back. */
enum psog_error psog_flash_erase(const struct psog_flash *flash, uint32_t offset, uint32_t size);

#endif
