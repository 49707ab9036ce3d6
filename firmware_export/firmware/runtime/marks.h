/* Marks: decisions in flash that no power cut leaves half taken. docs/SPEC.md, Flash.
 *
 * A mark is a value and its complement, 8 bytes in program units of their own: no part of its bits passes for
 * all of them. Its value is the CRC-32 of what it is about, exclusive-or its number. A mark that a cut has
 * torn may read as set today and not tomorrow, so a decision takes three:
 *
 *     0, 1  it is so. Number 1 is in reserve, for a start that finds number 0 and cannot know it whole.
 *     2     settled: only ever begun when one of the others has just been written from beginning to end, so
 *           a part of it says as much as the whole.
 *
 * Something counts when any of its marks is set. What cannot be undone waits until it is settled. */
#ifndef PSOG_MARKS_H
#define PSOG_MARKS_H

#include "psog.h"

#define PSOG_MARK_BYTES 8u
#define PSOG_DECISION_BYTES (3u * PSOG_MARK_BYTES)

/* Where marks lie, and the CRC-32 of what they are about. */
struct psog_marks {
    const struct psog_flash *flash;
    uint32_t offset;
    uint32_t crc32;
};

bool psog_mark_is_set(struct psog_marks marks, uint32_t number);

/* Returns PSOG_ERR_STATE when it does not read erased, PSOG_ERR_FLASH. */
enum psog_error psog_mark_set(struct psog_marks marks, uint32_t number);

bool psog_decision_taken(struct psog_marks marks);
bool psog_decision_settled(struct psog_marks marks);

/* Takes the decision, or makes sure of it. Returns PSOG_OK when no restart will find it otherwise;
 * PSOG_ERR_STATE when there is no mark left to be sure by, PSOG_ERR_FLASH. */
enum psog_error psog_decision_settle(struct psog_marks marks);

#endif
