// See micro/micro_interpreter.h.
#ifndef TFLM_STUB_SCHEMA_GENERATED_H
#define TFLM_STUB_SCHEMA_GENERATED_H

#include <stdint.h>

namespace tflite {

struct Model {
    uint32_t version() const;
};

const Model *GetModel(const void *buf);

}  // namespace tflite

#endif
