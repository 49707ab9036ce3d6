// See micro_interpreter.h beside this file.
#ifndef TFLM_STUB_MICRO_MUTABLE_OP_RESOLVER_H
#define TFLM_STUB_MICRO_MUTABLE_OP_RESOLVER_H

#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite {
#ifdef TFLM_STUB_2026
namespace micro {
#endif

template <unsigned int tOpCount>
class MicroMutableOpResolver : public MicroOpResolver {
  public:
    TfLiteStatus AddConv2D();
    TfLiteStatus AddDequantize();
    TfLiteStatus AddFullyConnected();
};

#ifdef TFLM_STUB_2026
}  // namespace micro
using micro::MicroMutableOpResolver;
#endif
}  // namespace tflite

#endif
