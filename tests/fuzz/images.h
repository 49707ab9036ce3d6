/* Models for the application to be given: images.py writes images.c. */
#ifndef IMAGES_H
#define IMAGES_H

#include <stdint.h>

struct fuzz_image {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t crc32;
};

#define FUZZ_IMAGE_COUNT 3u
extern const struct fuzz_image FUZZ_IMAGES[FUZZ_IMAGE_COUNT];        /* signed as easy_signature.c wants it */
extern const struct fuzz_image FUZZ_SIGNED_IMAGES[FUZZ_IMAGE_COUNT]; /* by the development key */

#endif
