/* Bytes on their way out: a ring that never makes anyone wait. */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "psog.h"

struct outbox {
    uint8_t *bytes;
    size_t size;
    size_t first;
    size_t count;
};

size_t outbox_room(const struct outbox *outbox);

/* All of the bytes, or false and none of them. */
bool outbox_put(struct outbox *outbox, const uint8_t *bytes, size_t count);

/* Hands bytes to `write` until it takes no more. */
void outbox_drain(struct outbox *outbox, size_t (*write)(const uint8_t *bytes, size_t count));

#endif
