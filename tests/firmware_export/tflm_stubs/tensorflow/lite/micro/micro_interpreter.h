// What the application uses of TFLite Micro, declarations only: enough to compile it, nothing to link.
// Since 2026 TFLite Micro keeps its names in tflite::micro and makes them known in tflite, the C ones globally
// too; before, those were global and its classes in tflite. TFLM_STUB_2026 chooses.
#ifndef TFLM_STUB_MICRO_INTERPRETER_H
#define TFLM_STUB_MICRO_INTERPRETER_H

#include <stddef.h>
#include <stdint.h>

#include "tensorflow/lite/schema/schema_generated.h"

#define TFLITE_SCHEMA_VERSION (3)

#ifdef TFLM_STUB_2026
namespace tflite {
namespace micro {
#endif

typedef enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;
typedef enum TfLiteType { kTfLiteNoType = 0, kTfLiteFloat32 = 1, kTfLiteInt8 = 9 } TfLiteType;

typedef struct TfLiteIntArray {
    int size;
    int data[4];
} TfLiteIntArray;

typedef union TfLitePtrUnion {
    float *f;
    int8_t *int8;
} TfLitePtrUnion;

typedef struct TfLiteTensor {
    TfLitePtrUnion data;
    TfLiteIntArray *dims;
    TfLiteType type;
} TfLiteTensor;

#ifndef TFLM_STUB_2026
namespace tflite {
#endif

class MicroOpResolver {};
class MicroResourceVariables;
class MicroProfilerInterface;

class MicroInterpreter {
  public:
    MicroInterpreter(const Model *model, const MicroOpResolver &op_resolver, uint8_t *tensor_arena,
                     size_t tensor_arena_size, MicroResourceVariables *resource_variables = nullptr,
                     MicroProfilerInterface *profiler = nullptr, bool preserve_all_tensors = false);
    ~MicroInterpreter();
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
    size_t arena_used_bytes() const { return 0; }
};

#ifdef TFLM_STUB_2026
}  // namespace micro
using micro::kTfLiteInt8;
using micro::kTfLiteOk;
using micro::MicroInterpreter;
using micro::TfLiteTensor;
#endif
}  // namespace tflite

#ifdef TFLM_STUB_2026
using ::tflite::micro::kTfLiteInt8;
using ::tflite::micro::kTfLiteOk;
using ::tflite::micro::TfLiteTensor;
#endif

#endif
