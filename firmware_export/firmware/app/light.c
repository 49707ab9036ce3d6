#include "light.h"

bool light_saturates(const uint16_t *readings, uint16_t count)
{
    uint32_t ends = 0;
    for (uint32_t i = 0; i < count; i++)
        ends += readings[i] < LIGHT_END || readings[i] > UINT16_MAX - LIGHT_END;
    return 8u * ends >= count;
}
