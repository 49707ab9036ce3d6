/* Little-endian values at any alignment. Compilers turn each of these into one load or store. */
#ifndef PSOG_BYTES_H
#define PSOG_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "psog images and frames are little-endian, and so must the core be"
#endif

static inline uint16_t psog_get_u16(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint32_t psog_get_u32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline int32_t psog_get_i32(const uint8_t *p)
{
    int32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline float psog_get_f32(const uint8_t *p)
{
    float value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline void psog_put_u16(uint8_t *p, uint16_t value)
{
    memcpy(p, &value, sizeof value);
}

static inline void psog_put_u32(uint8_t *p, uint32_t value)
{
    memcpy(p, &value, sizeof value);
}

static inline void psog_put_f32(uint8_t *p, float value)
{
    memcpy(p, &value, sizeof value);
}

/* By the bits, so that it holds whatever the compiler assumes about floats. */
static inline bool psog_is_finite(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x7F800000u) != 0x7F800000u;
}

#endif
