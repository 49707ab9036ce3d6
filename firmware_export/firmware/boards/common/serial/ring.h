/* Bytes between an interrupt and the loop: one puts, the other takes. Both counts only grow, modulo 2^32. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef RING_BYTES
#define RING_BYTES 1024u /* a power of two; 11 ms at 921,600 baud */
#endif

struct ring {
    volatile uint32_t put, taken;
    volatile uint8_t bytes[RING_BYTES];
};

static inline size_t ring_count(const struct ring *ring)
{
    return ring->put - ring->taken;
}

static inline size_t ring_room(const struct ring *ring)
{
    return RING_BYTES - ring_count(ring);
}

/* Where there is room. */
static inline void ring_put(struct ring *ring, uint8_t byte)
{
    ring->bytes[ring->put % RING_BYTES] = byte;
    ring->put++;
}

/* Where there is a byte. */
static inline uint8_t ring_take(struct ring *ring)
{
    uint8_t byte = ring->bytes[ring->taken % RING_BYTES];
    ring->taken++;
    return byte;
}

/* As many as there are, and as fit; returns their number. */
static inline size_t ring_read(struct ring *ring, uint8_t *bytes, size_t capacity)
{
    size_t count = 0;
    while (count < capacity && ring_count(ring) > 0)
        bytes[count++] = ring_take(ring);
    return count;
}

static inline size_t ring_write(struct ring *ring, const uint8_t *bytes, size_t count)
{
    size_t written = 0;
    while (written < count && ring_room(ring) > 0)
        ring_put(ring, bytes[written++]);
    return written;
}

#endif
