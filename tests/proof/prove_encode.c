/* Any payload of any length: no byte outside the frame's is read or written. The wire's bytes are taken to be
 * initialised: which of them an encoding has written, intervals do not tell. */
#include "__fc_builtin.h"
#include "psog.h"

void prove(void)
{
    uint8_t payload[PSOG_FRAME_MAX_PAYLOAD];
    uint8_t wire[PSOG_FRAME_MAX_WIRE];
    Frama_C_make_unknown((char *)payload, sizeof payload);
    Frama_C_make_unknown((char *)wire, sizeof wire);
    const struct psog_frame frame = {
        .type = (uint8_t)Frama_C_interval(0, 255),
        .sequence = (uint16_t)Frama_C_interval(0, 65535),
        .payload = payload,
        .payload_size = (size_t)Frama_C_interval(0, 1 << 30),
    };
    size_t count = psog_frame_encode(&frame, wire);
    //@ assert count <= PSOG_FRAME_MAX_WIRE;
}
