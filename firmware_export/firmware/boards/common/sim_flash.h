/* NOR flash simulated in memory: erasing sets bits, programming can only clear them. */
#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include "psog.h"

#ifndef SIM_FLASH_ERASE_BYTES
#define SIM_FLASH_ERASE_BYTES 4096u
#endif
#define SIM_FLASH_PROGRAM_BYTES 8u
#define SIM_FLASH_ERASED 0xFFu
#define SIM_FLASH_MODEL_BYTES (128u * 1024u) /* of each model slot */
#define SIM_FLASH_BYTES SIM_FLASH_REGION_BYTES(SIM_FLASH_MODEL_BYTES)

/* Two model slots of that size, and two calibration slots (docs/SPEC.md, Flash). */
#define SIM_FLASH_CALIBRATION_BLOCKS \
    ((PSOG_CALIBRATION_BYTES + SIM_FLASH_ERASE_BYTES - 1u) / SIM_FLASH_ERASE_BYTES)
#define SIM_FLASH_REGION_BYTES(model_slot_bytes) \
    (2u * ((model_slot_bytes) + SIM_FLASH_CALIBRATION_BLOCKS * SIM_FLASH_ERASE_BYTES))

struct sim_flash {
    uint8_t *memory;
    uint32_t size_bytes; /* a whole number of SIM_FLASH_ERASE_BYTES */
    /* Makes a changed range permanent; NULL where memory already is. False when that failed. */
    bool (*keep)(uint32_t offset, const uint8_t *data, uint32_t size);
};

/* The region as the runtime sees it. sim lives as long as the result. */
struct psog_flash sim_flash_region(struct sim_flash *sim);

#endif
