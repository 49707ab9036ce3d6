"""The generated sources of the TFLite Micro application: a model's numbers in C, its operators in C++.

Everything else of the application (firmware_export/tflm) is the same for every model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from psog.firmware_export.test_vector import make_test_vector
from psog.firmware_export.tflm_arena import Arena
from psog.headset import Headset
from psog.net.integer import IntegerNet

_WIDTH = 100

_STRANGER = """\
 *
 * This network can be told whose eye it sees; a .tflite file cannot. Its biases are those of a stranger. For
 * a known wearer: psog personalise makes a model of their own, without this embedding; export that one.
"""

_CONFIG = """\
/* Sizes of the psog model for headset {headset}. Written by psog export; do not edit.
{stranger} */
#ifndef GAZE_CONFIG_H
#define GAZE_CONFIG_H

#define GAZE_HEADSET "{headset}"
#define GAZE_SENSORS {sensors}
#define GAZE_ADC_BITS {adc_bits}
#define GAZE_CELLS {cells}
#define GAZE_PLANES {planes}
#define GAZE_SHIFT {shift}
#define GAZE_FEATURES {features}
/* A real feature is scale * (q - zero). */
#define GAZE_FEATURE_SCALE {scale}
#define GAZE_FEATURE_ZERO ({zero})

{arena}
#ifndef GAZE_ARENA_BYTES
#define GAZE_ARENA_BYTES {arena_bytes}
#endif

#endif
"""

_VALUES = """\
/* The numbers of the psog model for headset {headset}. Written by psog export; do not edit. */
#include "gaze.h"

const int32_t gaze_offset[GAZE_SENSORS] = {{
{offset}
}};

const int32_t gaze_multiplier[GAZE_SENSORS] = {{
{multiplier}
}};

const uint8_t gaze_layout[GAZE_CELLS] = {{
{layout}
}};

const float gaze_head_weights[GAZE_HEAD_FLOATS] = {{
{head}
}};

const uint16_t gaze_test_reading[GAZE_SENSORS] = {{
{test_reading}
}};

const int8_t gaze_test_features[GAZE_FEATURES] = {{
{test_features}
}};
"""

_OPERATORS = """\
// Exactly the operators of gaze.tflite. Written by psog export; do not edit.
#ifndef GAZE_OPERATORS_H
#define GAZE_OPERATORS_H

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using GazeOperators = tflite::MicroMutableOpResolver<{count}>;

// False when the resolver refuses one.
inline bool gaze_add_operators(GazeOperators &operators)
{{
    using namespace tflite;  // kTfLiteOk is global, or, since 2026, in this namespace
    return {calls};
}}

#endif
"""


def config_header(net: IntegerNet, headset: Headset, arena: Arena) -> str:
    """gaze_config.h."""
    return _CONFIG.format(
        headset=net.headset,
        stranger=_STRANGER if net.embedding is not None else "",
        sensors=headset.sensor_count,
        adc_bits=headset.adc.bits,
        cells=net.layout.size,
        planes=net.normalisation.planes,
        shift=net.normalisation.shift,
        features=net.feature_count,
        scale=_real(net.feature_quantization.scale),
        zero=net.feature_quantization.zero_point,
        arena=_comment(arena),
        arena_bytes=arena.reserved_bytes,
    )


def values_source(net: IntegerNet) -> str:
    """gaze_values.c."""
    vector = make_test_vector(net)
    return _VALUES.format(
        headset=net.headset,
        offset=_whole(net.normalisation.offset),
        multiplier=_whole(net.normalisation.multiplier),
        layout=_whole(net.layout),
        head=_lines(_real(value) for value in net.head.weight.astype(np.float32).ravel()),
        test_reading=_whole(vector.reading),
        test_features=_whole(vector.features),
    )


def operators_header(calls: Sequence[str]) -> str:
    """gaze_operators.h of the methods that `resolver_calls` found."""
    each = [f"operators.{call}() == kTfLiteOk" for call in calls]
    return _OPERATORS.format(count=len(calls), calls=" &&\n           ".join(each))


def _comment(arena: Arena) -> str:
    found = (
        "found by bisection with TFLite Micro's interpreter on a 64-bit PC"
        if arena.measured
        else "by an upper estimate from the tensors (not measured: no tflite-micro)"
    )
    return (
        f"/* Bytes of the tensor arena: {arena.interpreter_bytes} {found},\n"
        f" * and {arena.kernel_bytes} for the working memory of CMSIS-NN's kernels. A 32-bit core needs less:"
        " see docs/tflm.md. */"
    )


def _real(value: np.float32) -> str:
    """The shortest text that a C compiler reads back as the same float32."""
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    return f"{text}f"


def _whole(values: NDArray[np.integer]) -> str:
    return _lines(str(int(value)) for value in values.ravel())


def _lines(words: Iterable[str]) -> str:
    """The words with commas, in lines that fit a screen."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) + 2 > _WIDTH:
            lines.append("")
        lines[-1] += f" {word}," if lines[-1] else f"    {word},"
    return "\n".join(lines)
