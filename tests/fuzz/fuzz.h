/* What the fuzz targets share. A target takes any bytes and returns; it aborts when something that must hold
 * does not. Built with the address and undefined-behaviour sanitizers, which abort on what else is wrong. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define MUST(condition) \
    do { \
        if (!(condition)) { \
            (void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

void fuzz_frames(const uint8_t *data, size_t size);
void fuzz_commands(const uint8_t *data, size_t size);
void fuzz_image(const uint8_t *data, size_t size);
void fuzz_calibration(const uint8_t *data, size_t size);
void fuzz_slots(const uint8_t *data, size_t size);
void fuzz_signature(const uint8_t *data, size_t size);

/* Input that is read from front to back; zeros follow its end. */
struct input {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

/* The next bytes, as many of `wanted` as there are; their number in `wanted`. */
static inline const uint8_t *take_bytes(struct input *input, size_t *wanted)
{
    const uint8_t *bytes = input->at;
    if (*wanted > input->left)
        *wanted = input->left;
    input->at += *wanted;
    input->left -= *wanted;
    return bytes;
}

static inline uint16_t take_u16(struct input *input)
{
    uint8_t low = take(input);
    return (uint16_t)(low | take(input) << 8);
}

/* Marks as the runtime writes them (marks.h), those of four that `which` has bits for. */
static inline void put_marks(uint8_t *at, uint32_t crc32, uint8_t which)
{
    for (uint32_t number = 0; number < 4u; number++)
        if (((uint32_t)which >> number) % 2u == 1u) {
            psog_put_u32(at + 8u * number, crc32 ^ number);
            psog_put_u32(at + 8u * number + 4u, ~(crc32 ^ number));
        }
}

#endif
