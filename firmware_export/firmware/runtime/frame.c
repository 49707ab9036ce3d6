/* Frames: COBS(type · 0 · sequence · payload · CRC-32) and a closing zero. docs/SPEC.md. */
#include "bytes.h"
#include "psog.h"

#define HEADER_BYTES 4u
#define CRC_BYTES 4u

#if PSOG_FRAME_MAX_WIRE >= 255
#error "COBS is done in place: no block may be so long that no zero follows it"
#endif

/* Removes COBS where it lies: the body begins one byte later, and its zeros stand where codes stood. False
 * when the bytes are no COBS. */
static bool unstuff(uint8_t *bytes, size_t count)
{
    for (size_t at = 0; at < count;) {
        size_t code = bytes[at];
        if (code == 0 || code > count - at)
            return false;
        bytes[at] = 0;
        at += code;
    }
    return true;
}

static enum psog_frame_event finish(struct psog_frame_receiver *receiver, struct psog_frame *frame)
{
    uint8_t *body = receiver->bytes + 1;
    if (receiver->count < 1u + HEADER_BYTES + CRC_BYTES || !unstuff(receiver->bytes, receiver->count))
        return PSOG_FRAME_BAD;
    size_t checked = receiver->count - 1u - CRC_BYTES;
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
        if (receiver->count < PSOG_FRAME_MAX_WIRE - 1u) /* the closing zero is not kept */
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

/* COBS of a body that lies behind the first byte of the wire. */
static void stuff(uint8_t *wire, size_t size)
{
    size_t code_at = 0;
    for (size_t at = 1; at <= size; at++) {
        if (wire[at] == 0) {
            wire[code_at] = (uint8_t)(at - code_at);
            code_at = at;
        }
    }
    wire[code_at] = (uint8_t)(size + 1u - code_at);
}

size_t psog_frame_encode(const struct psog_frame *frame, uint8_t wire[PSOG_FRAME_MAX_WIRE])
{
    uint8_t *body = wire + 1;
    if (frame->payload_size > PSOG_FRAME_MAX_PAYLOAD)
        return 0;
    size_t checked = HEADER_BYTES + frame->payload_size;
    body[0] = frame->type;
    body[1] = 0;
    psog_put_u16(body + 2, frame->sequence);
    if (frame->payload_size > 0)
        memcpy(body + HEADER_BYTES, frame->payload, frame->payload_size);
    psog_put_u32(body + checked, psog_crc32(0, body, checked));
    stuff(wire, checked + CRC_BYTES);
    wire[1u + checked + CRC_BYTES] = 0;
    return checked + CRC_BYTES + 2u;
}
