/* Whose models this firmware takes. The toolchain defines it; without definitions anybody's who has psog, for
 * any headset. docs/security.md.
 *
 *     PSOG_TRUST_KEY, PSOG_TRUST_SECOND_KEY   public keys: 32 numbers, comma separated; one may do
 *     PSOG_TRUST_HEADSET                      a string: the only headset whose models are taken
 *     PSOG_PRODUCTION                         refuses to compile what is not safe to hand out */
#ifndef TRUST_H
#define TRUST_H

#include "psog.h"

extern const struct psog_trust APP_TRUST;

/* Whether models are taken that are signed by the development key, which everybody has. */
bool app_trusts_development(void);

#endif
