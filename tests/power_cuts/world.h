/* A headset's storage on flash that may lose its power, and what may be found there afterwards: the old model
 * and calibration or the new ones, whole; nothing never installed, no calibration of another model. */
#ifndef WORLD_H
#define WORLD_H

#include "nor.h"
#include "psog.h"

#define MODELS 3u
#define NO_MODEL MODELS
#define NO_CALIBRATION 0u
#define MAX_CALIBRATIONS 64u /* of a world; numbered from 1 */
#define MAX_ADMISSIBLE 16u

/* The images to install: of one architecture, so that a calibration of one could pass for another's. */
struct world_images {
    const uint8_t *bytes[MODELS];
    uint32_t size[MODELS];
    uint32_t crc32[MODELS];
    struct psog_trust trust;
};

/* What a headset has: a model, and a calibration by number. */
struct found {
    uint8_t model, calibration;
};

enum action {
    INSTALL,   /* upload, commit, confirm: as psog.device.installing does */
    SAVE,      /* a calibration, as TUNE_ACCEPT does */
    ERASE,     /* CALIBRATION_ERASE */
    TRY,       /* upload and commit, but do not confirm */
    BREAK_OFF, /* upload a part */
    ACTIONS,
};

/* Of cuts and of flipped bits. */
struct report {
    uint64_t runs;
    uint64_t faults;
    char failure[200]; /* of the first world in which something else was found; empty if none */
};

struct world {
    const struct world_images *images;
    struct psog_flash flash;
    struct psog_store store;
    struct psog_model model;
    struct psog_installed installed;
    struct psog_upload upload;
    uint8_t calibrations; /* saved so far */
    uint8_t made_for[MAX_CALIBRATIONS];
    bool sure; /* the last start has settled everything */
    uint32_t admissible_count;
    struct found admissible[MAX_ADMISSIBLE]; /* what a start may find */
    struct nor nor;
};

/* An erased flash of that geometry, started. The world must not move in memory. */
void world_begin(struct world *world, const struct world_images *images, struct nor_geometry geometry,
                 uint64_t seed);

/* The same, and so much before anything is cut: 0 nothing; 1 a model and its calibration; 2 a second model,
 * with two calibrations, beside the first. */
void world_prepare(struct world *world, const struct world_images *images, struct nor_geometry geometry,
                   uint32_t stage);

/* Does something, until it is done or the power goes; widens or replaces what is admissible.
 * model: for INSTALL, TRY and BREAK_OFF. */
enum psog_error world_act(struct world *world, enum action action, uint8_t model);

/* Starts as app_start does. False when the power went. */
bool world_start(struct world *world);

/* Whether what is there after a start is whole and admissible. From then on only that is, if the start was
 * sure of it. */
bool world_is_sound(struct world *world);

/* What is in use; model: 255 when it is none of the images, calibration: 255 when it was never saved so. */
struct found world_found(const struct world *world);

#endif
