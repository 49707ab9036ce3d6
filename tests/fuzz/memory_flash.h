/* NOR flash in memory that insists on what psog_flash asks for: whole units, whole blocks, inside, and
 * nothing programmed that does not read erased. */
#ifndef MEMORY_FLASH_H
#define MEMORY_FLASH_H

#include "psog.h"

#define MEMORY_FLASH_ERASE_BYTES 1024u
#define MEMORY_FLASH_PROGRAM_BYTES 8u
#define MEMORY_FLASH_ERASED 0xFFu
#define MEMORY_FLASH_BYTES (20u * MEMORY_FLASH_ERASE_BYTES)

struct memory_flash {
    uint8_t memory[MEMORY_FLASH_BYTES] __attribute__((aligned(8)));
    uint32_t good; /* operations until one fails without having done anything; 0: none does */
    bool failed;
};

struct psog_flash memory_flash_region(struct memory_flash *flash);

#endif
