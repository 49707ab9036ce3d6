#include "marks.h"

#include "bytes.h"
#include "flash.h"

#define FIRST 0u
#define RESERVE 1u
#define SETTLED 2u

static uint32_t place(struct psog_marks marks, uint32_t number)
{
    return marks.offset + PSOG_MARK_BYTES * number;
}

static void write_out(struct psog_marks marks, uint32_t number, uint8_t bytes[PSOG_MARK_BYTES])
{
    psog_put_u32(bytes, marks.crc32 ^ number);
    psog_put_u32(bytes + 4, ~(marks.crc32 ^ number));
}

bool psog_mark_is_set(struct psog_marks marks, uint32_t number)
{
    uint8_t mark[PSOG_MARK_BYTES];
    write_out(marks, number, mark);
    return memcmp(marks.flash->memory + place(marks, number), mark, sizeof mark) == 0;
}

/* Whether something of a mark is there and nothing that is not of it: a unit that an erase has programmed
 * first, as erases do, has all its bits. */
static bool is_begun(struct psog_marks marks, uint32_t number)
{
    const uint8_t *bytes = marks.flash->memory + place(marks, number);
    uint8_t mark[PSOG_MARK_BYTES], some = 0, foreign = 0;
    write_out(marks, number, mark);
    for (uint32_t i = 0; i < PSOG_MARK_BYTES; i++) {
        some |= bytes[i] ^ marks.flash->erased;
        foreign |= (uint8_t)((bytes[i] ^ marks.flash->erased) & ~(mark[i] ^ marks.flash->erased));
    }
    return some != 0 && foreign == 0;
}

static bool is_free(struct psog_marks marks, uint32_t number)
{
    return psog_flash_erased(marks.flash, place(marks, number), PSOG_MARK_BYTES);
}

enum psog_error psog_mark_set(struct psog_marks marks, uint32_t number)
{
    uint8_t bytes[PSOG_MARK_BYTES];
    if (!is_free(marks, number))
        return PSOG_ERR_STATE;
    write_out(marks, number, bytes);
    return psog_flash_write(marks.flash, place(marks, number), bytes, sizeof bytes);
}

bool psog_decision_taken(struct psog_marks marks)
{
    return psog_mark_is_set(marks, FIRST) || psog_mark_is_set(marks, RESERVE) ||
           psog_mark_is_set(marks, SETTLED);
}

bool psog_decision_settled(struct psog_marks marks)
{
    return psog_decision_taken(marks) && is_begun(marks, SETTLED);
}

enum psog_error psog_decision_settle(struct psog_marks marks)
{
    if (psog_decision_settled(marks))
        return PSOG_OK;
    enum psog_error error = psog_mark_set(marks, FIRST);
    if (error != PSOG_OK)
        error = psog_mark_set(marks, RESERVE);
    if (error == PSOG_OK)
        (void)psog_mark_set(marks, SETTLED); /* without it the next start has to make sure again, no more */
    return error;
}
