#include "sim_flash.h"

#include <string.h>

static enum psog_error keep(const struct sim_flash *sim, uint32_t offset, uint32_t size)
{
    return sim->keep == NULL || sim->keep(offset, sim->memory + offset, size) ? PSOG_OK : PSOG_ERR_FLASH;
}

static bool inside(const struct sim_flash *sim, uint32_t offset, uint32_t size, uint32_t unit)
{
    return offset % unit == 0 && size % unit == 0 && offset <= sim->size_bytes &&
           size <= sim->size_bytes - offset;
}

static enum psog_error program(void *context, uint32_t offset, const uint8_t *data, uint32_t size)
{
    struct sim_flash *sim = context;
    if (!inside(sim, offset, size, SIM_FLASH_PROGRAM_BYTES))
        return PSOG_ERR_FLASH;
    for (uint32_t i = 0; i < size; i++)
        sim->memory[offset + i] &= data[i];
    return keep(sim, offset, size);
}

static enum psog_error erase(void *context, uint32_t offset, uint32_t size)
{
    struct sim_flash *sim = context;
    if (!inside(sim, offset, size, SIM_FLASH_ERASE_BYTES))
        return PSOG_ERR_FLASH;
    memset(sim->memory + offset, SIM_FLASH_ERASED, size);
    return keep(sim, offset, size);
}

struct psog_flash sim_flash_region(struct sim_flash *sim)
{
    return (struct psog_flash){
        .memory = sim->memory,
        .size_bytes = sim->size_bytes,
        .erase_bytes = SIM_FLASH_ERASE_BYTES,
        .program_bytes = SIM_FLASH_PROGRAM_BYTES,
        .erased = SIM_FLASH_ERASED,
        .context = sim,
        .program = program,
        .erase = erase,
    };
}
