/* The signature itself, by Monocypher: any bytes, and a signed image that is changed. None is accepted, and
 * none that was refused leaves a model. */
#undef crypto_blake2b_init
#undef crypto_blake2b_update
#undef crypto_blake2b_final
#undef crypto_eddsa_reduce
#undef crypto_eddsa_check_equation
#define psog_model_open_signed open_signed_by_monocypher

#include "signature.c"

#include "fuzz.h"
#include "images.h"
#include "trust.h"

/* Adds something at a few places. */
static void change(struct input *input, uint8_t *image, uint32_t size)
{
    for (uint32_t count = 1u + take(input) % 4u; count > 0; count--) {
        uint8_t *byte = image + take_u16(input) % size;
        *byte = (uint8_t)(*byte + take(input));
    }
}

/* The development key alone or beside another, any headset or a certain one, or what is no trust at all. */
static struct psog_trust trust_of(uint8_t what, const struct fuzz_image *image)
{
    struct psog_trust trust = APP_TRUST;
    if (what & 1u) {
        memcpy(trust.keys[1], APP_TRUST.keys[0], sizeof trust.keys[1]);
        trust.keys[0][0] ^= 1u;
        trust.key_count = 2;
    }
    if (what & 2u)
        trust.key_count = what & 4u ? 0 : 3;
    if (what & 8u)
        memcpy(trust.headset, image->bytes + NAME_AT, sizeof trust.headset);
    if (what & 16u)
        trust.headset[1] ^= 1;
    return trust;
}

void fuzz_signature(const uint8_t *data, size_t size)
{
    static const struct psog_model none;
    struct input input = {data, size};
    struct psog_model model;
    uint8_t what = take(&input);
    uint8_t whom = take(&input);
    const struct fuzz_image *image = &FUZZ_SIGNED_IMAGES[what / 2u % FUZZ_IMAGE_COUNT];
    bool any = what % 2u == 0;
    size_t bytes = any ? input.left : image->size;
    uint8_t *exact = malloc(bytes > 0 ? bytes : 1u);
    if (any && bytes > 0)
        memcpy(exact, input.at, bytes);
    if (!any) {
        memcpy(exact, image->bytes, bytes);
        change(&input, exact, image->size);
    }
    const struct psog_trust trust = trust_of(whom, image);
    bool sound = bytes == image->size && memcmp(exact, image->bytes, bytes) == 0 && !(whom & 2u);
    bool ours = !(whom & 16u) || trust.headset[0] == 0;
    enum psog_error error = psog_model_open_signed(&model, exact, bytes, &trust, PSOG_UNKNOWN);
    MUST(error == (!sound ? PSOG_ERR_SIGNATURE : ours ? PSOG_OK : PSOG_ERR_HEADSET));
    if (error != PSOG_OK)
        MUST(memcmp(&model, &none, sizeof model) == 0);
    /* Too many bytes: refused before one is looked at. */
    MUST(psog_model_open_signed(&model, exact, PSOG_MAX_IMAGE_BYTES + 2u * PSOG_SIGNATURE_BYTES, &trust,
                                PSOG_UNKNOWN) == PSOG_ERR_SIGNATURE);
    free(exact);
}
