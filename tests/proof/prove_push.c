/* Whatever a receiver holds, and whatever byte comes next: nothing outside its buffer is touched, what it
 * holds afterwards is again such a state, and a frame that it finds lies inside. By induction: for any bytes. */
#include "__fc_builtin.h"
#include "psog.h"

void prove(void)
{
    struct psog_frame_receiver receiver;
    struct psog_frame frame;
    Frama_C_make_unknown((char *)receiver.bytes, sizeof receiver.bytes);
    receiver.count = (uint16_t)Frama_C_interval(0, PSOG_FRAME_MAX_WIRE - 1);
    receiver.overflow = Frama_C_interval(0, 1) != 0;
    uint8_t byte = (uint8_t)Frama_C_interval(0, 255);
    enum psog_frame_event event = psog_frame_push(&receiver, byte, &frame);
    //@ assert receiver.count <= PSOG_FRAME_MAX_WIRE - 1;
    if (event == PSOG_FRAME_READY) {
        //@ assert frame.payload == &receiver.bytes[5];
        //@ assert frame.payload_size <= PSOG_FRAME_MAX_PAYLOAD;
    }
}
