/* What a build of the runtime holds. By default all that its core runs; psog export writes psog_lean.h, with
 * the definitions of what one model needs, for a build that has no more (docs/budgets.md). It refuses an
 * image that needs something else with PSOG_ERR_LEAN. */
#ifndef PSOG_HOLDS_H
#define PSOG_HOLDS_H

/* Bits by number in enum psog_packing. A core with Armv7E-M's DSP instructions runs the paired packings, any
 * other core the plain ones, a computer both. */
#define PSOG_PLAIN_PACKINGS 0x21u
#if defined(__ARM_FEATURE_SIMD32) && !defined(__ARM_FEATURE_MVE)
#define PSOG_CORE_DSP
#define PSOG_CORE_CONVOLUTIONS 0x0Eu
#define PSOG_CORE_DENSE 0x16u
#elif defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define PSOG_CORE_CONVOLUTIONS 0x01u
#define PSOG_CORE_DENSE 0x21u
#else
#define PSOG_CORE_CONVOLUTIONS 0x0Fu
#define PSOG_CORE_DENSE 0x37u
#endif

#ifndef PSOG_CONVOLUTIONS /* packings of convolutions; 0: there are none */
#define PSOG_CONVOLUTIONS PSOG_CORE_CONVOLUTIONS
#endif
#ifndef PSOG_DENSE_LAYERS /* packings of dense layers */
#define PSOG_DENSE_LAYERS PSOG_CORE_DENSE
#endif
#ifndef PSOG_TILES /* what convolutions are made of, by number in enum psog_tile_kind (kernels_paired.h) */
#define PSOG_TILES 0xFFu
#endif
#ifndef PSOG_HAS_SECOND_PLANE /* of the input */
#define PSOG_HAS_SECOND_PLANE 1
#endif
#ifndef PSOG_HAS_EMBEDDING /* of the user */
#define PSOG_HAS_EMBEDDING 1
#endif

#if (PSOG_CONVOLUTIONS & ~PSOG_CORE_CONVOLUTIONS) || (PSOG_DENSE_LAYERS & ~PSOG_CORE_DENSE)
#error "psog_lean.h is of an image for another core: export again with this one's --board"
#endif

#define PSOG_HOLDS_ALL                                                                                     \
    (PSOG_CONVOLUTIONS == PSOG_CORE_CONVOLUTIONS && PSOG_DENSE_LAYERS == PSOG_CORE_DENSE &&                \
     PSOG_TILES == 0xFFu && PSOG_HAS_SECOND_PLANE && PSOG_HAS_EMBEDDING)

/* Whether any layer may be packed so. All layers of an image are plain, or all are paired. */
#define PSOG_HOLDS(packing) (((PSOG_CONVOLUTIONS | PSOG_DENSE_LAYERS) >> (packing)) % 2u)
#define PSOG_RUNS_PLAIN ((PSOG_DENSE_LAYERS & PSOG_PLAIN_PACKINGS) != 0)
#define PSOG_RUNS_PAIRED ((PSOG_DENSE_LAYERS & ~PSOG_PLAIN_PACKINGS) != 0)

#endif
