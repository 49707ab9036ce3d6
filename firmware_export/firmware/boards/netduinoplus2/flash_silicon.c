/* The real flash. Sectors 8 to 11, of 128 KB each, are two model slots and two calibration slots. While a
 * sector is erased (1 s, 2 at most) or a word programmed the core waits for its next instruction, so readings
 * that arrive meanwhile are lost; what is left of them counts as bad readings.
 * Sources: RM0090 3.3 (sectors), 3.5.2 (caches), 3.6 (erase and program), 3.9 (registers); DS8626 5.3.12
 * (times). */
#include "hardware.h"

#ifdef PSOG_SILICON

#include <string.h>

#include "registers.h"
#include "timer.h"

#define SECTOR_BYTES (128u * 1024u)
#define FIRST_SECTOR 8u
#define SECTORS 4u
#define ERASE_US 4000000u /* twice the longest */
#define PROGRAM_US 1000u  /* ten times the longest */

extern uint8_t link_region_start[]; /* of sector 8 */

static bool finish(uint32_t timeout_us)
{
    bool done = timer_wait(&FLASH->sr, FLASH_SR_BUSY, 0, timeout_us) && !(FLASH->sr & FLASH_SR_ERRORS);
    FLASH->sr = FLASH_SR_ERRORS;
    return done;
}

static bool unlock(void)
{
    FLASH->sr = FLASH_SR_ERRORS; /* of before; with one of them nothing would start */
    if (!finish(ERASE_US))
        return false;
    if (FLASH->cr & FLASH_CR_LOCK) {
        FLASH->keyr = FLASH_KEY_1;
        FLASH->keyr = FLASH_KEY_2;
    }
    return !(FLASH->cr & FLASH_CR_LOCK);
}

/* A control register that is written while flash is busy would hold up the core. The data cache knows nothing
 * of an erase. */
static enum psog_error lock(bool done)
{
    if (!(FLASH->sr & FLASH_SR_BUSY))
        FLASH->cr = FLASH_CR_LOCK;
    FLASH->acr &= ~FLASH_ACR_DATA_CACHE;
    FLASH->acr |= FLASH_ACR_DATA_CACHE_RESET;
    FLASH->acr &= ~FLASH_ACR_DATA_CACHE_RESET;
    FLASH->acr |= FLASH_ACR_DATA_CACHE;
    return done ? PSOG_OK : PSOG_ERR_FLASH;
}

static enum psog_error program(void *context, uint32_t offset, const uint8_t *data, uint32_t size)
{
    (void)context;
    bool done = unlock();
    for (uint32_t at = 0; done && at < size; at += 4u) {
        uint32_t word;
        memcpy(&word, data + at, sizeof word);
        FLASH->cr = FLASH_CR_PROGRAM | FLASH_CR_WORDS;
        *(volatile uint32_t *)(void *)(link_region_start + offset + at) = word;
        done = finish(PROGRAM_US);
    }
    return lock(done);
}

static enum psog_error erase(void *context, uint32_t offset, uint32_t size)
{
    (void)context;
    bool done = unlock();
    for (uint32_t sector = offset / SECTOR_BYTES; done && sector < (offset + size) / SECTOR_BYTES; sector++) {
        uint32_t what = FLASH_CR_ERASE_SECTOR | FLASH_CR_SECTOR(FIRST_SECTOR + sector) | FLASH_CR_WORDS;
        FLASH->cr = what;
        FLASH->cr = what | FLASH_CR_START;
        done = finish(ERASE_US);
    }
    return lock(done);
}

struct psog_flash hardware_flash(void)
{
    return (struct psog_flash){
        .memory = link_region_start,
        .size_bytes = SECTORS * SECTOR_BYTES,
        .erase_bytes = SECTOR_BYTES,
        .program_bytes = 4,
        .erased = 0xFF,
        .program = program,
        .erase = erase,
    };
}

#endif
