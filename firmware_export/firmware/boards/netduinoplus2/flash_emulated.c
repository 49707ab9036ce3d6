/* QEMU has the part's flash as memory that cannot be written, and no controller for it: what the device keeps
 * lies in RAM and in a file. QEMU 7.2 has the part's 192 KB of RAM in one piece, and not at two addresses. */
#include "hardware.h"

#ifndef PSOG_SILICON

#include "emulated_flash.h"

#define REGION_BYTES (128u * 1024u) /* model slots of 60 KB */

static uint8_t memory[REGION_BYTES] __attribute__((section(".external"), aligned(8)));

struct psog_flash hardware_flash(void)
{
    return emulated_flash(memory, sizeof memory);
}

#endif
