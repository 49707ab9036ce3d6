/* Frames: COBS(type · 0 · sequence · payload · CRC-32) and a closing zero. docs/SPEC.md. */
#include "bytes.h"
#include "psog.h"

#define HEADER_BYTES 4u
#define CRC_BYTES 4u

/* Removes COBS in place; returns the number of bytes left, 0 when they are no COBS. */
static size_t unstuff(uint8_t *bytes, size_t count)
{
    size_t from = 0;
    size_t to = 0;
    while (from < count) {
        size_t code = bytes[from];
        if (code == 0 || from + code > count)
            return 0;
        for (size_t i = 1; i < code; i++)
            bytes[to++] = bytes[from + i];
        from += code;
        if (code != 255u && from < count)
            bytes[to++] = 0;
    }
    return to;
}

static enum psog_frame_event finish(struct psog_frame_receiver *receiver, struct psog_frame *frame)
{
    uint8_t *body = receiver->bytes;
    size_t size = unstuff(body, receiver->count);
    if (size < HEADER_BYTES + CRC_BYTES || size > PSOG_FRAME_MAX_BODY)
        return PSOG_FRAME_BAD;
    size_t checked = size - CRC_BYTES;
    if (psog_crc32(0, body, checked) != psog_get_u32(body + checked) || body[1] != 0)
        return PSOG_FRAME_BAD;
    *frame = (struct psog_frame){
        .type = body[0],
        .sequence = psog_get_u16(body + 2),
        .payload = body + HEADER_BYTES,
        .payload_size = checked - HEADER_BYTES,
    };
    return PSOG_FRAME_READY;
}

enum psog_frame_event psog_frame_push(struct psog_frame_receiver *receiver, uint8_t byte,
                                      struct psog_frame *frame)
{
    if (byte != 0) {
        if (receiver->count < sizeof receiver->bytes)
            receiver->bytes[receiver->count++] = byte;
        else
            receiver->overflow = true;
        return PSOG_FRAME_PENDING;
    }
    enum psog_frame_event event = PSOG_FRAME_PENDING; /* zeros in a row are no frames */
    if (receiver->overflow)
        event = PSOG_FRAME_BAD;
    else if (receiver->count > 0)
        event = finish(receiver, frame);
    receiver->count = 0;
    receiver->overflow = false;
    return event;
}

/* COBS of a body of at most 254 bytes, and the closing zero. Returns the bytes written. */
static size_t stuff(const uint8_t *body, size_t size, uint8_t *wire)
{
    size_t code_at = 0;
    size_t to = 1;
    for (size_t i = 0; i < size; i++) {
        if (body[i] != 0) {
            wire[to++] = body[i];
            continue;
        }
        wire[code_at] = (uint8_t)(to - code_at);
        code_at = to++;
    }
    wire[code_at] = (uint8_t)(to - code_at);
    wire[to++] = 0;
    return to;
}

size_t psog_frame_encode(const struct psog_frame *frame, uint8_t wire[PSOG_FRAME_MAX_WIRE])
{
    uint8_t body[PSOG_FRAME_MAX_BODY];
    if (frame->payload_size > PSOG_FRAME_MAX_PAYLOAD)
        return 0;
    size_t checked = HEADER_BYTES + frame->payload_size;
    body[0] = frame->type;
    body[1] = 0;
    psog_put_u16(body + 2, frame->sequence);
    if (frame->payload_size > 0)
        memcpy(body + HEADER_BYTES, frame->payload, frame->payload_size);
    psog_put_u32(body + checked, psog_crc32(0, body, checked));
    return stuff(body, checked + CRC_BYTES, wire);
}
