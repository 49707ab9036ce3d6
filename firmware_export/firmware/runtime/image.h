/* What the checks of an image share. */
#ifndef PSOG_IMAGE_H
#define PSOG_IMAGE_H

#include "bytes.h"
#include "psog.h"

#define PSOG_IMAGE_HEADER_BYTES 96u
#define PSOG_IMAGE_CRC_BYTES 4u

/* A part of an image: where it starts and how long it is. */
struct psog_part {
    uint32_t offset;
    uint32_t size;
};

static inline bool psog_lies_inside(uint32_t image_bytes, struct psog_part part)
{
    uint32_t end = image_bytes - PSOG_IMAGE_CRC_BYTES;
    return part.offset % 4u == 0 && part.offset >= PSOG_IMAGE_HEADER_BYTES && part.offset <= end &&
           part.size <= end - part.offset;
}

static inline bool psog_all_zero(const uint8_t *at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (at[i] != 0)
            return false;
    return true;
}

/* The image's { i32 offset, i32 multiplier } of each sensor. */
static inline const uint8_t *psog_own_normalisation(const uint8_t *image)
{
    return image + psog_get_u32(image + 44);
}

/* Of a normalisation: a second plane is finer by so many bits. */
static inline uint32_t psog_least_shift(uint32_t planes)
{
    return 1u + (planes - 1u) * PSOG_RESIDUAL_BITS;
}

/* Whether offsets and multipliers are such that no product leaves 30 bits (image.c). */
bool psog_valid_normalisation(const uint8_t *normalisation, uint32_t sensors);

/* Whether every layer has a kind and a packing that this build runs, its arrays lie inside the image, it takes
 * what the one before it gives, and the header's activations hold them (image_layers.c). The header and the
 * layer table's place have been checked. */
bool psog_valid_layers(const struct psog_model *model);

/* Whether the values in the layers' arrays are such that kernels may use them; of layers that are valid. */
bool psog_valid_layer_values(const struct psog_model *model);

/* psog_model_open, of an image of which so much is known. */
enum psog_error psog_model_open_as(struct psog_model *model, const uint8_t *image, size_t size,
                                   enum psog_known known);

#endif
