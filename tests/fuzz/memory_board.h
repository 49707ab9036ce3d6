/* A board of memory, for the whole application: what its lines carry, its clock and its restarts are set from
 * outside. What the application sends has to be sound frames. */
#ifndef MEMORY_BOARD_H
#define MEMORY_BOARD_H

#include <setjmp.h>

#include "psog.h"

/* Bytes between the board and whoever is at the other end. */
struct memory_line {
    const uint8_t *bytes; /* for the application */
    size_t count;
    size_t room; /* for what it sends */
    struct psog_frame_receiver receiver;
};

struct memory_board {
    struct psog_flash region;
    struct memory_line link, sensors;
    jmp_buf restart; /* where board_restart goes */
    uint64_t t_us;
    uint8_t hung_restarts;
    void (*heard)(const struct psog_frame *frame); /* called with each frame that goes to the host */
};

extern struct memory_board memory_board;

#endif
