/* Who made an image: nothing of it is looked at before that is known. docs/security.md.
 *
 * A fault that skips one instruction, once or every time, shall not turn a refusal into an acceptance:
 * - two functions that share no code of this file judge independently, and forwards and backwards through the
 *   keys; their verdicts are wide numbers, each the complement of the other, kept in memory;
 * - both call Monocypher, so the second also has it judge the negative of the key, which it has to refuse:
 *   where the key's part of the equation has got lost, it fits any key; and a digest has to depend on the
 *   message;
 * - what they leave in a digest that a skipped call did not fill differs, so that no signature fits both;
 * - arithmetic with a hole in it may end in 0 / 0, which is written as zeros: the second refuses a signature
 *   that begins with those, which no key makes;
 * - who accepts looks at both verdicts, and at the headset's name, before the image is read and again behind
 *   that. */
#include "bytes.h"
#include "image.h"
#include "monocypher.h"
#include "psog.h"

#define REFUSED 0xA55A0FF0u
#define SIGNED_ONCE 0x3CC3965Au
#define SIGNED_AGAIN 0xC33C69A5u /* ~SIGNED_ONCE */

#define SMALLEST_CONTENT 32u /* what is compared with the headset's name lies inside */
#define NAME_AT 16u
#define NAME_BYTES 16u

struct judged {
    const struct psog_trust *trust;
    const uint8_t *image;
    const uint8_t *signature; /* behind the content */
    size_t content_bytes;
};

/* BLAKE2b(R · public key · so many bytes of the content), reduced to a scalar: the h of
 * crypto_eddsa_check_equation. Its callers each have their own, so that they share no instruction of it. */
static inline __attribute__((always_inline)) void digest(uint8_t h[32], const struct judged *judged,
                                                         size_t content_bytes, const uint8_t key[32],
                                                         uint8_t unfilled)
{
    crypto_blake2b_ctx hashing;
    uint8_t hash[64];
    memset(hash, unfilled, sizeof hash);
    memset(h, unfilled, 32);
    crypto_blake2b_init(&hashing, sizeof hash);
    crypto_blake2b_update(&hashing, judged->signature, 32);
    crypto_blake2b_update(&hashing, key, 32);
    crypto_blake2b_update(&hashing, judged->image, content_bytes);
    crypto_blake2b_final(&hashing, hash);
    crypto_eddsa_reduce(h, hash);
}

static __attribute__((noinline)) uint32_t judge(const struct judged *judged)
{
    volatile uint32_t verdict = REFUSED;
    uint8_t h[32];
    for (uint32_t i = 0; i < judged->trust->key_count && verdict == REFUSED; i++) {
        const uint8_t *key = judged->trust->keys[i];
        digest(h, judged, judged->content_bytes, key, 0x5A);
        if (crypto_eddsa_check_equation(judged->signature, key, h) == 0)
            verdict = SIGNED_ONCE;
    }
    return verdict;
}

/* Whether R, the first half of a signature, is all zeros. */
static bool has_no_point(const struct judged *judged)
{
    uint32_t any = 0;
    for (uint32_t i = 0; i < 32u; i++)
        any |= judged->signature[i];
    return any == 0;
}

static __attribute__((noinline)) uint32_t judge_again(const struct judged *judged)
{
    volatile uint32_t verdict = ~REFUSED;
    uint8_t h[32], other[32];
    if (has_no_point(judged))
        return verdict;
    for (uint32_t left = judged->trust->key_count; left > 0 && verdict != SIGNED_AGAIN; left--) {
        const uint8_t *key = judged->trust->keys[left - 1u];
        digest(h, judged, judged->content_bytes, key, 0xC3);
        if (crypto_eddsa_check_equation(judged->signature, key, h) != 0)
            continue;
        digest(other, judged, 0, key, 0xC3); /* of no message */
        if (memcmp(h, other, sizeof h) == 0)
            return REFUSED;
        memcpy(other, key, sizeof other);
        other[31] ^= 0x80u; /* the sign of a point's x */
        if (crypto_eddsa_check_equation(judged->signature, other, h) != 0)
            verdict = SIGNED_AGAIN;
        else
            return REFUSED;
    }
    return verdict;
}

static bool made_for(const uint8_t *image, const struct psog_trust *trust)
{
    return trust->headset[0] == 0 || memcmp(image + NAME_AT, trust->headset, NAME_BYTES) == 0;
}

enum psog_error psog_model_open_signed(struct psog_model *model, const uint8_t *image, size_t size,
                                       const struct psog_trust *trust, enum psog_known known)
{
    volatile uint32_t once = REFUSED, again = REFUSED;
    struct psog_model found;
    memset(model, 0, sizeof *model);
    const size_t content_bytes = size - PSOG_SIGNATURE_BYTES;
    if (size < PSOG_SIGNATURE_BYTES || content_bytes < SMALLEST_CONTENT ||
        content_bytes > PSOG_MAX_IMAGE_BYTES || trust->key_count > sizeof trust->keys / sizeof trust->keys[0])
        return PSOG_ERR_SIGNATURE;
    const struct judged judged = {trust, image, image + content_bytes, content_bytes};
    once = judge(&judged);
    if (once != SIGNED_ONCE)
        return PSOG_ERR_SIGNATURE;
    again = judge_again(&judged);
    if (again != SIGNED_AGAIN || (once ^ again) != UINT32_MAX)
        return PSOG_ERR_SIGNATURE;
    if (!made_for(image, trust))
        return PSOG_ERR_HEADSET;
    enum psog_error error = psog_model_open_as(&found, image, content_bytes, known);
    if (error != PSOG_OK)
        return error;
    if (once != SIGNED_ONCE || ~again != SIGNED_ONCE)
        return PSOG_ERR_SIGNATURE;
    if (!made_for(found.image, trust))
        return PSOG_ERR_HEADSET;
    *model = found;
    return PSOG_OK;
}
