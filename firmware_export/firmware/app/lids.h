/* Whether the lids are open, against how open this eye has been lately: the openness of a stranger's eye may
 * lie well below 1 at some gazes. psog/device/lids.py is the same in Python. */
#ifndef LIDS_H
#define LIDS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed at the start. */
struct lids {
    bool begun;
    float smooth;  /* openness without the noise of single readings */
    float level;   /* how open the eye has been lately */
    uint64_t t_us; /* of the last reading */
};

/* Takes the next reading's openness. t_us: device time; openness: of the network, anything. */
bool lids_open(struct lids *lids, uint64_t t_us, float openness);

#endif
