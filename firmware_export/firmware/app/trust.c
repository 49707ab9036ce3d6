#include "trust.h"

#include <string.h>

/* Of psog.firmware_export.keys, where its private half lies for all to see. */
#define DEVELOPMENT_KEY \
    0x4f, 0x96, 0x60, 0x1a, 0x2c, 0x67, 0x90, 0x33, \
    0x2e, 0x8a, 0xe0, 0x29, 0x0e, 0x1f, 0x9d, 0x49, \
    0x21, 0xc5, 0x05, 0xba, 0xe4, 0x24, 0xc1, 0xa0, \
    0x3f, 0xa4, 0x78, 0x21, 0x62, 0x1c, 0xd0, 0xee

#ifndef PSOG_TRUST_KEY
#define PSOG_TRUST_KEY DEVELOPMENT_KEY
#endif
#ifdef PSOG_TRUST_SECOND_KEY
#define KEY_COUNT 2
#else
#define PSOG_TRUST_SECOND_KEY PSOG_TRUST_KEY
#define KEY_COUNT 1
#endif
#ifndef PSOG_TRUST_HEADSET
#define PSOG_TRUST_HEADSET ""
#endif

#ifdef PSOG_PRODUCTION
/* The preprocessor sees enough of a key to know the development key. */
#define FIRST_BYTES(a, b, c, d, ...) (((a) << 24) | ((b) << 16) | ((c) << 8) | (d))
#define START(...) FIRST_BYTES(__VA_ARGS__)
#if START(PSOG_TRUST_KEY) == START(DEVELOPMENT_KEY) || START(PSOG_TRUST_SECOND_KEY) == START(DEVELOPMENT_KEY)
#error "a production build takes no models signed by the development key: define PSOG_TRUST_KEY"
#endif
typedef char production_build_names_its_headset[sizeof PSOG_TRUST_HEADSET > 1 ? 1 : -1];
#endif

const struct psog_trust APP_TRUST = {
    .keys = {{PSOG_TRUST_KEY}, {PSOG_TRUST_SECOND_KEY}},
    .key_count = KEY_COUNT,
    .headset = PSOG_TRUST_HEADSET,
};

bool app_trusts_development(void)
{
    static const uint8_t development[32] = {DEVELOPMENT_KEY};
    return memcmp(APP_TRUST.keys[0], development, sizeof development) == 0 ||
           memcmp(APP_TRUST.keys[1], development, sizeof development) == 0;
}
