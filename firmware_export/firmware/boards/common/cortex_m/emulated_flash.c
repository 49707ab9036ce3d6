#include "emulated_flash.h"

#include <string.h>

#include "semihosting.h"
#include "sim_flash.h"

#define EXIT_NO_FLASH 2u

static char path[SEMIHOSTING_PATH_BYTES];

static bool keep(uint32_t offset, const uint8_t *data, uint32_t size)
{
    return semihosting_update_file(path, offset, data, size);
}

static struct sim_flash sim = {.keep = keep};

static void give_up(const char *why)
{
    semihosting_complain(why);
    semihosting_exit(EXIT_NO_FLASH);
}

struct psog_flash emulated_flash(uint8_t *memory, uint32_t size)
{
    sim.memory = memory;
    sim.size_bytes = size;
    if (!semihosting_command_line(path, sizeof path))
        give_up("the flash file's path is too long\n");
    if (semihosting_file_bytes(path) > 0) {
        if (!semihosting_read_file(path, memory, size))
            give_up("the flash file is of another board: its size is wrong\n");
    } else {
        memset(memory, SIM_FLASH_ERASED, size);
        if (!semihosting_write_file(path, memory, size))
            give_up("the flash file cannot be written\n");
    }
    return sim_flash_region(&sim);
}
