/* Frames: any bytes into the receiver, any body in a sound envelope, any payload there and back. */
#include "fuzz.h"
#include "psog.h"

/* What a sent frame says, found again by a receiver of its own. */
static void must_come_back(const struct psog_frame *sent)
{
    struct psog_frame_receiver receiver = {0};
    struct psog_frame found = {0};
    uint8_t wire[PSOG_FRAME_MAX_WIRE];
    size_t count = psog_frame_encode(sent, wire);
    MUST((count == 0) == (sent->payload_size > PSOG_FRAME_MAX_PAYLOAD));
    for (size_t i = 0; i < count; i++) {
        MUST((wire[i] == 0) == (i + 1 == count));
        enum psog_frame_event event = psog_frame_push(&receiver, wire[i], &found);
        MUST(event == (i + 1 == count ? PSOG_FRAME_READY : PSOG_FRAME_PENDING));
    }
    if (count > 0)
        MUST(found.type == sent->type && found.sequence == sent->sequence &&
             found.payload_size == sent->payload_size &&
             (sent->payload_size == 0 || memcmp(found.payload, sent->payload, sent->payload_size) == 0));
}

static void receive(struct psog_frame_receiver *receiver, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        struct psog_frame frame;
        if (psog_frame_push(receiver, bytes[i], &frame) == PSOG_FRAME_READY) {
            MUST(frame.payload_size <= PSOG_FRAME_MAX_PAYLOAD);
            must_come_back(&frame); /* also reads the payload to its end */
        }
    }
}

/* COBS as the paper has it (Cheshire and Baker 1999), for bodies of any length. */
static size_t stuff(const uint8_t *body, size_t size, uint8_t *wire)
{
    size_t code_at = 0, to = 1;
    for (size_t i = 0; i < size; i++) {
        if (body[i] != 0)
            wire[to++] = body[i];
        if (body[i] == 0 || to - code_at == 255) {
            wire[code_at] = (uint8_t)(to - code_at);
            code_at = to++;
        }
    }
    wire[code_at] = (uint8_t)(to - code_at);
    wire[to++] = 0;
    return to;
}

/* A body with a checksum that fits; longer than any frame, too. */
static void receive_body(struct psog_frame_receiver *receiver, const uint8_t *bytes, size_t size)
{
    uint8_t body[2u * PSOG_FRAME_MAX_BODY + 4u], wire[sizeof body + 8u];
    if (size > sizeof body - 4u)
        size = sizeof body - 4u;
    memcpy(body, bytes, size);
    psog_put_u32(body + size, psog_crc32(0, body, size));
    receive(receiver, wire, stuff(body, size + 4u, wire));
}

/* Pieces, each of a kind and a length. */
void fuzz_frames(const uint8_t *data, size_t size)
{
    struct psog_frame_receiver receiver = {0};
    struct input input = {data, size};
    while (input.left > 0) {
        uint8_t kind = take(&input);
        size_t count = take(&input);
        const uint8_t *bytes = take_bytes(&input, &count);
        if (kind % 3 == 0)
            receive(&receiver, bytes, count);
        else if (kind % 3 == 1)
            receive_body(&receiver, bytes, count);
        else
            must_come_back(&(struct psog_frame){kind, (uint16_t)(kind * 257u + count), bytes, count});
        MUST(receiver.count <= sizeof receiver.bytes);
    }
}
