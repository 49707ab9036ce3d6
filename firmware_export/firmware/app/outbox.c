#include "outbox.h"

size_t outbox_room(const struct outbox *outbox)
{
    return outbox->size - outbox->count;
}

bool outbox_put(struct outbox *outbox, const uint8_t *bytes, size_t count)
{
    if (count > outbox_room(outbox))
        return false;
    size_t at = (outbox->first + outbox->count) % outbox->size;
    for (size_t i = 0; i < count; i++) {
        outbox->bytes[at++] = bytes[i];
        if (at == outbox->size)
            at = 0;
    }
    outbox->count += count;
    return true;
}

void outbox_drain(struct outbox *outbox, size_t (*write)(const uint8_t *bytes, size_t count))
{
    size_t taken = 1;
    while (outbox->count > 0 && taken > 0) {
        size_t straight = outbox->size - outbox->first;
        size_t offered = outbox->count < straight ? outbox->count : straight;
        taken = write(outbox->bytes + outbox->first, offered);
        outbox->first = (outbox->first + taken) % outbox->size;
        outbox->count -= taken;
    }
}
