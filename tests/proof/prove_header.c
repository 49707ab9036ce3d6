/* Any 96 bytes: reading them as a header touches nothing else. And whatever the rest of it holds, a header of
 * which one field is beyond its limit is refused; on these limits all else relies. */
#include "__fc_builtin.h"
#include "image.c"

static uint8_t image[PSOG_IMAGE_HEADER_BYTES];

static uint32_t any(uint32_t low, uint32_t high)
{
    return Frama_C_unsigned_int_interval(low, high);
}

static void refuses_u8(uint32_t at, uint32_t low, uint32_t high)
{
    Frama_C_make_unknown((char *)image, sizeof image);
    image[at] = (uint8_t)any(low, high);
    bool accepted = valid_header(image);
    //@ assert !accepted;
}

static void refuses_u16(uint32_t at, uint32_t low, uint32_t high)
{
    Frama_C_make_unknown((char *)image, sizeof image);
    psog_put_u16(image + at, (uint16_t)any(low, high));
    bool accepted = valid_header(image);
    //@ assert !accepted;
}

static void refuses_u32(uint32_t at, uint32_t low, uint32_t high)
{
    Frama_C_make_unknown((char *)image, sizeof image);
    psog_put_u32(image + at, any(low, high));
    bool accepted = valid_header(image);
    //@ assert !accepted;
}

void prove(void)
{
    Frama_C_make_unknown((char *)image, sizeof image);
    (void)valid_header(image);
    refuses_u16(4, 0, FORMAT_VERSION - 1);
    refuses_u16(4, FORMAT_VERSION + 1, 65535);
    refuses_u16(6, 0, PSOG_IMAGE_HEADER_BYTES - 1);
    refuses_u16(6, PSOG_IMAGE_HEADER_BYTES + 1, 65535);
    refuses_u8(31, 1, 255); /* a name that is not closed */
    refuses_u16(32, 0, 0);
    refuses_u16(32, PSOG_MAX_SENSORS + 1, 65535);
    refuses_u8(34, 0, 0);
    refuses_u8(34, 17, 255);
    refuses_u8(35, 0, 0);
    refuses_u8(35, 33, 255);
    refuses_u8(36, 0, 0);
    refuses_u8(36, PSOG_MAX_LAYERS + 1, 255);
    refuses_u8(37, 0, PSOG_OUTPUTS - 1);
    refuses_u8(37, PSOG_OUTPUTS + 1, 255);
    refuses_u16(38, 0, 0);
    refuses_u16(38, PSOG_MAX_FEATURES + 1, 65535);
    refuses_u8(40, 0, 0);
    refuses_u8(40, 31, 255);
    refuses_u8(42, PSOG_MAX_NUMBERS + 1, 255);
    refuses_u32(76, PSOG_MAX_ACTIVATION_BYTES + 1, 0xFFFFFFFF);
}
