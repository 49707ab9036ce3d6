/* The application: from the board's readings to gaze. */
#include "board.h"

int main(void)
{
    enum gaze_error error = gaze_begin();
    board_status(error, gaze_arena_used());
    uint16_t readings[GAZE_SENSORS];
    while (error == GAZE_OK && board_reading(readings)) {
        int8_t features[GAZE_FEATURES];
        float output[GAZE_OUTPUTS];
        error = gaze_run(readings, NULL, features, output);
        if (error == GAZE_OK)
            board_gaze(output);
        else
            board_status(error, gaze_arena_used());
    }
    return error == GAZE_OK ? 0 : 1;
}
