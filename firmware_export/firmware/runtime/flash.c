#include "flash.h"

#include <string.h>

#define LARGEST_UNIT 8u

enum psog_error psog_flash_write(const struct psog_flash *flash, uint32_t offset, const uint8_t *data,
                                 uint32_t size)
{
    uint8_t last[LARGEST_UNIT];
    uint32_t rest = size % flash->program_bytes;
    uint32_t whole = size - rest;
    if (whole > 0 && flash->program(flash->context, offset, data, whole) != PSOG_OK)
        return PSOG_ERR_FLASH;
    if (rest > 0) {
        memset(last, flash->erased, sizeof last);
        memcpy(last, data + whole, rest);
        if (flash->program(flash->context, offset + whole, last, flash->program_bytes) != PSOG_OK)
            return PSOG_ERR_FLASH;
    }
    return memcmp(flash->memory + offset, data, size) == 0 ? PSOG_OK : PSOG_ERR_FLASH;
}

enum psog_error psog_flash_erase(const struct psog_flash *flash, uint32_t offset, uint32_t size)
{
    uint32_t whole = (size + flash->erase_bytes - 1u) & ~(flash->erase_bytes - 1u);
    if (flash->erase(flash->context, offset, whole) != PSOG_OK)
        return PSOG_ERR_FLASH;
    return psog_flash_erased(flash, offset, whole) ? PSOG_OK : PSOG_ERR_FLASH;
}

/* A run of one value is equal to itself moved by a byte. */
bool psog_flash_erased(const struct psog_flash *flash, uint32_t offset, uint32_t size)
{
    const uint8_t *at = flash->memory + offset;
    return size == 0 || (at[0] == flash->erased && memcmp(at, at + 1, size - 1u) == 0);
}
