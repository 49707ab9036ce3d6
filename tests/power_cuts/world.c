#include "world.h"

#include <string.h>

#include "bytes.h"

#define DAMAGED 255u

static union {
    uint32_t activations[PSOG_MAX_ACTIVATION_BYTES / 4u];
    uint8_t record[PSOG_CALIBRATION_BYTES];
} work;

static bool same(struct found one, struct found other)
{
    return one.model == other.model && one.calibration == other.calibration;
}

static void admit(struct world *world, struct found found)
{
    for (uint32_t i = 0; i < world->admissible_count; i++)
        if (same(world->admissible[i], found))
            return;
    if (world->admissible_count < MAX_ADMISSIBLE)
        world->admissible[world->admissible_count++] = found;
}

static void admit_only(struct world *world, struct found found)
{
    world->admissible_count = 0;
    admit(world, found);
}

static void find(struct world *world, enum psog_choice choice)
{
    (void)psog_store_find_model(&world->store, choice, &world->model, sizeof work.activations,
                                &world->installed);
}

/* Every other record is a standardisation alone. */
static bool has_user(uint32_t number)
{
    return number % 2u == 1u;
}

static uint8_t calibration_of(const struct world *world, uint8_t model)
{
    struct psog_kept kept;
    if (psog_calibration_find(&world->store, &world->model, &kept) != PSOG_OK)
        return NO_CALIBRATION;
    uint32_t number = kept.normalisation ? psog_get_u32(kept.normalisation) : 0;
    bool whole = number > 0 && number <= world->calibrations && world->made_for[number] == model &&
                 (kept.rows != NULL) == has_user(number);
    for (uint32_t i = 0; i < 2u * world->model.sensors; i++)
        whole = whole && psog_get_u32(kept.normalisation + 4u * i) == number;
    for (uint32_t i = 0; kept.rows && i < PSOG_ROWS_FLOATS(world->model.features); i++)
        whole = whole && kept.rows[i] == (float)number;
    for (uint32_t i = 0; kept.rows && i < world->model.biases; i++)
        whole = whole && kept.biases[i] == (int32_t)number;
    return whole ? (uint8_t)number : DAMAGED;
}

struct found world_found(const struct world *world)
{
    if (world->installed.slot == PSOG_NO_SLOT)
        return (struct found){NO_MODEL, NO_CALIBRATION};
    for (uint8_t model = 0; model < MODELS; model++)
        if (world->model.crc32 == world->images->crc32[model] &&
            memcmp(world->model.image, world->images->bytes[model], world->images->size[model]) == 0)
            return (struct found){model, calibration_of(world, model)};
    return (struct found){DAMAGED, DAMAGED};
}

bool world_start(struct world *world)
{
    world->upload = (struct psog_upload){.slot = PSOG_NO_SLOT};
    find(world, PSOG_NEWEST);
    world->sure = psog_store_clear(&world->store, world->installed) == PSOG_OK;
    if (world->installed.slot != PSOG_NO_SLOT) {
        enum psog_error error = psog_store_settle(&world->store, &world->model, &world->installed);
        if (!world->installed.trial && psog_calibration_settle(&world->store, &world->model) != PSOG_OK)
            error = PSOG_ERR_FLASH;
        world->sure = world->sure && error == PSOG_OK;
    }
    return !world->nor.off;
}

bool world_is_sound(struct world *world)
{
    struct found found = world_found(world);
    for (uint32_t i = 0; i < world->admissible_count; i++)
        if (same(world->admissible[i], found)) {
            if (world->sure)
                admit_only(world, found);
            return true;
        }
    return false;
}

void world_begin(struct world *world, const struct world_images *images, struct nor_geometry geometry,
                 uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->images = images;
    nor_begin(&world->nor, geometry, seed);
    world->flash = nor_region(&world->nor);
    (void)psog_store_open(&world->store, &world->flash, &images->trust);
    admit(world, (struct found){NO_MODEL, NO_CALIBRATION});
    (void)world_start(world);
}

/* Commands MODEL_BEGIN and MODEL_DATA; where it went on. */
static enum psog_error send(struct world *world, uint8_t model, uint32_t end, uint32_t *resumed)
{
    const struct world_images *images = world->images;
    if (world->installed.slot != PSOG_NO_SLOT && world->installed.trial)
        find(world, PSOG_SETTLED);
    enum psog_error error = psog_upload_begin(&world->upload, &world->store, world->installed,
                                              images->size[model], images->crc32[model]);
    *resumed = world->upload.received;
    while (error == PSOG_OK && world->upload.received < end) {
        uint32_t at = world->upload.received, rest = images->size[model] - at;
        error = psog_upload_add(&world->upload, at, images->bytes[model] + at,
                                rest < PSOG_MAX_PIECE_BYTES ? rest : PSOG_MAX_PIECE_BYTES);
    }
    return error;
}

static enum psog_error commit(struct world *world)
{
    return psog_upload_commit(&world->upload, 0, work.activations, sizeof work.activations, &world->model,
                              &world->installed);
}

static enum psog_error try_model(struct world *world, uint8_t model)
{
    uint32_t resumed;
    enum psog_error error = send(world, model, world->images->size[model], &resumed);
    if (error == PSOG_OK)
        error = commit(world);
    if (error == PSOG_OK || error == PSOG_ERR_FLASH || resumed == 0)
        return error;
    error = send(world, model, world->images->size[model], &resumed);
    return error == PSOG_OK ? commit(world) : error;
}

static enum psog_error install(struct world *world, uint8_t model)
{
    enum psog_error error = try_model(world, model);
    return error == PSOG_OK ? psog_store_confirm(&world->store, &world->model, &world->installed) : error;
}

static enum psog_error save(struct world *world, struct found *found)
{
    float rows[PSOG_ROWS_FLOATS(PSOG_MAX_FEATURES)];
    int32_t biases[PSOG_MAX_BIASES];
    uint8_t normalisation[PSOG_NORMALISATION_BYTES(PSOG_MAX_SENSORS)];
    if (world->installed.slot == PSOG_NO_SLOT || world->installed.trial ||
        world->calibrations + 1u == MAX_CALIBRATIONS)
        return PSOG_ERR_STATE;
    found->calibration = ++world->calibrations;
    world->made_for[found->calibration] = found->model;
    for (uint32_t i = 0; i < PSOG_ROWS_FLOATS(world->model.features); i++)
        rows[i] = (float)found->calibration;
    for (uint32_t i = 0; i < world->model.biases; i++)
        biases[i] = (int32_t)found->calibration;
    for (uint32_t i = 0; i < 2u * world->model.sensors; i++)
        psog_put_u32(normalisation + 4u * i, found->calibration);
    bool user = has_user(found->calibration);
    const struct psog_kept kept = {user ? rows : NULL, user ? biases : NULL, normalisation, 12};
    return psog_calibration_save(&world->store, &world->model, &kept, work.record);
}

enum psog_error world_act(struct world *world, enum action action, uint8_t model)
{
    struct found before = world_found(world), after = before;
    uint32_t resumed;
    enum psog_error error;
    if (action == INSTALL) {
        after = (struct found){model, before.model == model ? before.calibration : NO_CALIBRATION};
        error = install(world, model);
    } else if (action == SAVE) {
        error = save(world, &after);
    } else if (action == ERASE) {
        after.calibration = NO_CALIBRATION;
        error = psog_calibration_erase(&world->store);
    } else if (action == TRY) {
        error = try_model(world, model);
    } else {
        error = send(world, model, world->images->size[model] / 2u, &resumed);
    }
    if (action == ERASE && !world->sure) { /* whichever model it is, its calibration is gone, or may be */
        for (uint32_t i = world->admissible_count; i-- > 0;)
            admit(world, (struct found){world->admissible[i].model, NO_CALIBRATION});
        return error;
    }
    if (action == INSTALL && !world->sure) { /* it may have a calibration from before */
        for (uint32_t i = world->admissible_count; i-- > 0 && error == PSOG_OK && !world->nor.off;)
            if (world->admissible[i].model != model)
                world->admissible[i] = after;
        admit(world, after);
        return error;
    }
    bool decides = action == SAVE || action == ERASE || (action == INSTALL && model != before.model);
    if (error == PSOG_OK && !world->nor.off && (decides || world->sure))
        admit_only(world, after);
    else if (error != PSOG_ERR_STATE)
        admit(world, after);
    return error;
}

void world_prepare(struct world *world, const struct world_images *images, struct nor_geometry geometry,
                   uint32_t stage)
{
    static const struct {
        enum action action;
        uint8_t model;
    } steps[] = {{INSTALL, 0}, {SAVE, 0}, {SAVE, 0}, {INSTALL, 1}, {SAVE, 1}, {SAVE, 1}};
    const uint32_t counts[] = {0, 2, sizeof steps / sizeof steps[0]};
    world_begin(world, images, geometry, stage + 1u);
    for (uint32_t i = 0; i < counts[stage]; i++)
        (void)world_act(world, steps[i].action, steps[i].model);
}
