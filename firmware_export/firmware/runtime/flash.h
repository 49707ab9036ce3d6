/* Writing flash so that what was asked for is what lies there. */
#ifndef PSOG_FLASH_H
#define PSOG_FLASH_H

#include "psog.h"

/* Programs any number of bytes at a program unit's start and reads them back; the rest of the last unit
 * stays erased. */
enum psog_error psog_flash_write(const struct psog_flash *flash, uint32_t offset, const uint8_t *data,
                                 uint32_t size);

/* Erases the blocks that `size` bytes from a block's start touch, and reads them back. */
enum psog_error psog_flash_erase(const struct psog_flash *flash, uint32_t offset, uint32_t size);

/* Whether so many bytes read erased. */
bool psog_flash_erased(const struct psog_flash *flash, uint32_t offset, uint32_t size);

#endif
