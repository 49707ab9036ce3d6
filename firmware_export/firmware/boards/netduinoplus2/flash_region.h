/* The region for models and calibrations: flash sectors 8 to 11, or what stands for them in QEMU. */
#ifndef FLASH_REGION_H
#define FLASH_REGION_H

#include "psog.h"

/* Once, at the start. */
struct psog_flash flash_region(void);

#endif
