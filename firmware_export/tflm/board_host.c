/* A PC as the board: readings from standard input, GAZE_SENSORS whole numbers each, gaze to standard output. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "board.h"

bool board_reading(uint16_t readings[GAZE_SENSORS])
{
    for (uint32_t sensor = 0; sensor < GAZE_SENSORS; sensor++)
        if (scanf("%" SCNu16, &readings[sensor]) != 1)
            return false;
    return true;
}

void board_gaze(const float output[GAZE_OUTPUTS])
{
    printf("right %.3f up %.3f open %.3f error %.3f\n", (double)output[GAZE_RIGHT], (double)output[GAZE_UP],
           (double)output[GAZE_OPENNESS], exp((double)output[GAZE_LN_ERROR]));
}

void board_status(enum gaze_error error, size_t arena_bytes)
{
    if (error == GAZE_OK)
        fprintf(stderr, "ready: %zu of %d bytes of the arena in use\n", arena_bytes, GAZE_ARENA_BYTES);
    else
        fprintf(stderr, "gaze_error %d (gaze.h)\n", (int)error);
}
