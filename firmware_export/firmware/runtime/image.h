/* What the checks of an image share. */
#ifndef PSOG_IMAGE_H
#define PSOG_IMAGE_H

#include "bytes.h"
#include "psog.h"

#define PSOG_IMAGE_HEADER_BYTES 96u
#define PSOG_IMAGE_CRC_BYTES 4u

/* Whether `size` bytes lie inside an image's content, from the offset on that is at `place` (image.c). */
bool psog_lies_inside(const uint8_t *image, const uint8_t *place, uint32_t size);

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

/* Whether every layer has a kind and a packing that there is, its arrays lie inside the image, it takes what
 * the one before it gives, and the header's activations hold them (image_layers.c). The header, whose
 * activations are at most PSOG_MAX_ACTIVATION_BYTES, and the layer table's place have been checked. Returns
 * PSOG_ERR_IMAGE, or PSOG_ERR_LEAN when this build has no code for a layer. */
enum psog_error psog_check_layers(const struct psog_model *model);

/* Whether the values in the layers' arrays are such that kernels may use them; of layers that are valid. */
bool psog_valid_layer_values(const struct psog_model *model);

/* psog_model_open, of an image of which so much is known. */
enum psog_error psog_model_open_as(struct psog_model *model, const uint8_t *image, size_t size,
                                   enum psog_known known);

#endif
