/* A headset that is handed one model, for whoever tries what a fault in its verification does
 * (psog.probe.skipping): what runs between bench_begin and bench_end decides, and the function that is called
 * then says how.
 *
 * link_input_start: struct given, the image behind it at IMAGE_AT. */
#include <string.h>

#include "bytes.h"
#include "semihosting.h"
#include "sim_flash.h"
#include "slot.h"
#include "trust.h"

#define IMAGE_AT 64u
#define MODEL_SLOT_BYTES (128u * 1024u)

enum way {
    START = 0,  /* the image lies in a slot, confirmed: a start finds it */
    COMMIT = 1, /* it has been uploaded: the upload is committed */
};
enum exit_code { ACCEPTED = 10, REFUSED = 11, EMPTY = 12, NOT_BEGUN = 13 };

extern const uint8_t link_input_start[];

static uint8_t skips_flash[SIM_FLASH_REGION_BYTES(MODEL_SLOT_BYTES)]
    __attribute__((section(".external"), aligned(8)));
static uint32_t activations[PSOG_MAX_ACTIVATION_BYTES / 4u] __attribute__((section(".external")));
static struct sim_flash sim = {.memory = skips_flash, .size_bytes = sizeof skips_flash};
static struct psog_flash flash;
static struct psog_store store;
static struct psog_upload upload = {.slot = PSOG_NO_SLOT};
static struct psog_installed installed = {.slot = PSOG_NO_SLOT};
static struct psog_model model;

#define MARK(name) \
    void name(void); \
    __attribute__((noipa)) void name(void) { __asm volatile("nop"); }
MARK(bench_begin)
MARK(bench_end)
MARK(skips_accepted) /* the model is in use, or counts as committed */
MARK(skips_empty)    /* said to be accepted, but there is no model to use */
MARK(skips_refused)

static void check(enum psog_error error)
{
    if (error != PSOG_OK)
        semihosting_exit(NOT_BEGUN);
}

static void send(const uint8_t *image, uint32_t size)
{
    uint32_t crc32 = psog_get_u32(image + size - PSOG_SIGNATURE_BYTES - 4u);
    check(psog_upload_begin(&upload, &store, installed, size, crc32));
    for (uint32_t at = 0; at < size; at += PSOG_MAX_PIECE_BYTES) {
        uint32_t rest = size - at, piece = rest < PSOG_MAX_PIECE_BYTES ? rest : PSOG_MAX_PIECE_BYTES;
        check(psog_upload_add(&upload, at, image + at, piece));
    }
}

/* Makes what was sent count as a confirmed model, although nobody has checked it. */
static void confirm(uint32_t image_bytes)
{
    check(psog_slot_commit(&store, 0, image_bytes));
    check(psog_slot_confirm(&store, 0));
    check(psog_slot_done(&store, 0));
}

int main(void)
{
    uint32_t way = psog_get_u32(link_input_start);
    uint32_t image_bytes = psog_get_u32(link_input_start + 4);
    memset(skips_flash, SIM_FLASH_ERASED, sizeof skips_flash);
    flash = sim_flash_region(&sim);
    check(psog_store_open(&store, &flash, &APP_TRUST));
    send(link_input_start + IMAGE_AT, image_bytes);
    enum psog_error error = PSOG_ERR_STATE;
    if (way == START)
        confirm(image_bytes);
    bench_begin();
    if (way == START)
        error = psog_store_find_model(&store, PSOG_NEWEST, &model, sizeof activations, &installed);
    else
        error = psog_upload_commit(&upload, 0, activations, sizeof activations, &model, &installed);
    bench_end();
    if ((error == PSOG_OK && model.image != NULL) || (way == COMMIT && psog_slot_read(&store, 0).committed)) {
        skips_accepted();
        return ACCEPTED;
    }
    if (error == PSOG_OK) {
        skips_empty();
        return EMPTY;
    }
    skips_refused();
    return REFUSED;
}
