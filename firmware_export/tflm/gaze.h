/* Gaze from photosensor readings with TFLite Micro: the whole application's interface.
 *
 * No allocation: the tensor arena is static, of GAZE_ARENA_BYTES (gaze_config.h). Call gaze_begin once, then
 * gaze_run for every reading. gaze_normalise and gaze_head are what lies before and behind the network; they
 * need no TFLite Micro.
 */
#ifndef GAZE_H
#define GAZE_H

#include <stddef.h>
#include <stdint.h>

#include "gaze_config.h"

#define GAZE_INPUTS (GAZE_CELLS * GAZE_PLANES)
#define GAZE_OUTPUTS 4
#define GAZE_HEAD_FLOATS (GAZE_OUTPUTS * (GAZE_FEATURES + 1))

/* What the four outputs are. */
#define GAZE_RIGHT 0    /* degrees */
#define GAZE_UP 1       /* degrees */
#define GAZE_OPENNESS 2 /* of the lids: 0 closed … 1 open */
#define GAZE_LN_ERROR 3 /* natural logarithm of the expected error in degrees */

#ifdef __cplusplus
extern "C" {
#endif

enum gaze_error {
    GAZE_OK = 0,
    GAZE_ERR_SCHEMA = -1,    /* the model is of another version of the TFLite format than this TFLite Micro */
    GAZE_ERR_OPERATORS = -2, /* the resolver does not take the model's operators */
    GAZE_ERR_ARENA = -3,     /* GAZE_ARENA_BYTES are too few */
    GAZE_ERR_TENSORS = -4,   /* gaze_tflite.h and gaze_config.h are not of the same export */
    GAZE_ERR_INVOKE = -5,    /* a kernel failed; or gaze_begin did not succeed before */
    GAZE_ERR_SELF_TEST = -6, /* the network does not reproduce the model's test vector */
};

/* Sets the interpreter up and runs the model's test vector. Features must be the same to the bit. */
enum gaze_error gaze_begin(void);

/* One reading to features and outputs.
 * readings: left-aligned to 16 bits, ambient light subtracted: counts << (16 - GAZE_ADC_BITS).
 * head: GAZE_HEAD_FLOATS of a wearer, laid out as gaze_head_weights; NULL for the model's own. */
enum gaze_error gaze_run(const uint16_t readings[GAZE_SENSORS], const float *head,
                         int8_t features[GAZE_FEATURES], float output[GAZE_OUTPUTS]);

/* Bytes of the arena in use after gaze_begin. Setting up needs somewhat more for a moment. */
size_t gaze_arena_used(void);

/* Readings to the network's input, (cells, planes), to the bit what the model was trained with. */
void gaze_normalise(const uint16_t readings[GAZE_SENSORS], int8_t input[GAZE_INPUTS]);

/* The linear head in float: the part that belongs to the wearer. */
void gaze_head(const int8_t features[GAZE_FEATURES], const float *head, float output[GAZE_OUTPUTS]);

/* The model's numbers (gaze_values.c). */
extern const int32_t gaze_offset[GAZE_SENSORS];        /* the mean reading */
extern const int32_t gaze_multiplier[GAZE_SENSORS];    /* units of the input for each of it, * 2^GAZE_SHIFT */
extern const uint8_t gaze_layout[GAZE_CELLS];          /* the sensor of each cell */
extern const float gaze_head_weights[GAZE_HEAD_FLOATS]; /* a row for each output: its weights, its bias */
extern const uint16_t gaze_test_reading[GAZE_SENSORS]; /* the test vector */
extern const int8_t gaze_test_features[GAZE_FEATURES];

#ifdef __cplusplus
}
#endif

#endif
