#include "memory_flash.h"

#include "fuzz.h"

static void must_be_whole(uint32_t offset, uint32_t size, uint32_t unit)
{
    MUST(offset % unit == 0 && size % unit == 0 && offset <= MEMORY_FLASH_BYTES &&
         size <= MEMORY_FLASH_BYTES - offset);
}

static bool fails(struct memory_flash *flash)
{
    bool now = flash->good > 0 && --flash->good == 0;
    flash->failed |= now;
    return now;
}

static enum psog_error program(void *context, uint32_t offset, const uint8_t *data, uint32_t size)
{
    struct memory_flash *flash = context;
    must_be_whole(offset, size, MEMORY_FLASH_PROGRAM_BYTES);
    if (fails(flash))
        return PSOG_ERR_FLASH;
    for (uint32_t i = 0; i < size; i++) {
        MUST(flash->memory[offset + i] == MEMORY_FLASH_ERASED);
        flash->memory[offset + i] = data[i];
    }
    return PSOG_OK;
}

static enum psog_error erase(void *context, uint32_t offset, uint32_t size)
{
    struct memory_flash *flash = context;
    must_be_whole(offset, size, MEMORY_FLASH_ERASE_BYTES);
    if (fails(flash))
        return PSOG_ERR_FLASH;
    memset(flash->memory + offset, MEMORY_FLASH_ERASED, size);
    return PSOG_OK;
}

struct psog_flash memory_flash_region(struct memory_flash *flash)
{
    return (struct psog_flash){
        .memory = flash->memory,
        .size_bytes = MEMORY_FLASH_BYTES,
        .erase_bytes = MEMORY_FLASH_ERASE_BYTES,
        .program_bytes = MEMORY_FLASH_PROGRAM_BYTES,
        .erased = MEMORY_FLASH_ERASED,
        .context = flash,
        .program = program,
        .erase = erase,
    };
}
