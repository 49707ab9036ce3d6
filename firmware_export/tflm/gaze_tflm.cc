// The network in TFLite Micro. Everything of TFLite Micro is in this file and in gaze_operators.h.
#include <string.h>

#include "gaze.h"
#include "gaze_operators.h"
#include "gaze_tflite.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

// TFLite Micro's C names (TfLiteTensor, kTfLiteOk …) are global, or, since 2026, in its namespace.
using namespace tflite;

namespace {

// With less, not even its allocators fit, and TFLite Micro crashes where it should refuse.
static_assert(GAZE_ARENA_BYTES >= 1024, "GAZE_ARENA_BYTES: at least 1024 expected");

// TFLite Micro wants its arena aligned to 16 bytes.
alignas(16) uint8_t arena[GAZE_ARENA_BYTES];
MicroInterpreter *interpreter = nullptr;  // when gaze_begin succeeded

// Whether a tensor is of int8 and of `count` values.
bool is_int8(const TfLiteTensor *tensor, int count)
{
    if (tensor == nullptr || tensor->type != kTfLiteInt8)
        return false;
    int found = 1;
    for (int axis = 0; axis < tensor->dims->size; axis++)
        found *= tensor->dims->data[axis];
    return found == count;
}

enum gaze_error infer(MicroInterpreter &with, const uint16_t *readings, int8_t *features)
{
    // Anew for every inference: the network's tensors may lie over its input.
    gaze_normalise(readings, with.input(0)->data.int8);
    if (with.Invoke() != kTfLiteOk)
        return GAZE_ERR_INVOKE;
    memcpy(features, with.output(0)->data.int8, GAZE_FEATURES);
    return GAZE_OK;
}

}  // namespace

enum gaze_error gaze_begin(void)
{
    if (interpreter != nullptr)
        return GAZE_OK;
    const Model *model = GetModel(psog_gaze_tflite);
    if (model->version() != TFLITE_SCHEMA_VERSION)
        return GAZE_ERR_SCHEMA;
    static GazeOperators operators;
    static const bool complete = gaze_add_operators(operators);
    if (!complete)
        return GAZE_ERR_OPERATORS;
    static MicroInterpreter built(model, operators, arena, sizeof arena);
    if (built.AllocateTensors() != kTfLiteOk)
        return GAZE_ERR_ARENA;
    if (!is_int8(built.input(0), GAZE_INPUTS) || !is_int8(built.output(0), GAZE_FEATURES))
        return GAZE_ERR_TENSORS;
    int8_t features[GAZE_FEATURES];
    enum gaze_error error = infer(built, gaze_test_reading, features);
    if (error != GAZE_OK)
        return error;
    if (memcmp(features, gaze_test_features, sizeof features) != 0)
        return GAZE_ERR_SELF_TEST;
    interpreter = &built;
    return GAZE_OK;
}

enum gaze_error gaze_run(const uint16_t readings[GAZE_SENSORS], const float *head,
                         int8_t features[GAZE_FEATURES], float output[GAZE_OUTPUTS])
{
    if (interpreter == nullptr)
        return GAZE_ERR_INVOKE;
    enum gaze_error error = infer(*interpreter, readings, features);
    if (error == GAZE_OK)
        gaze_head(features, head, output);
    return error;
}

size_t gaze_arena_used(void)
{
    return interpreter == nullptr ? 0 : interpreter->arena_used_bytes();
}
