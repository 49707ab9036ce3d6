"""`gaze.tflite` as a C header, for those who build it into a TFLite Micro application."""

from __future__ import annotations

from psog.firmware_export.tflm_operators import resolver_calls
from psog.net.integer import IntegerNet

_BYTES_PER_LINE = 20
_TEMPLATE = """\
/* gaze.tflite of a psog model for headset {headset}: {size} bytes.
 *
 * Input: int8 [1, {rows}, {columns}, {planes}]. Outputs: int8 features [1, {features}]; float gaze [1, 4]
 * (right and up in degrees, openness, ln of the expected error in degrees). The file's metadata entry "psog"
 * says how readings become the input.
 * A resolver needs exactly: {operators}.
 * Written by psog export; include it in one source file. */
#ifndef PSOG_GAZE_TFLITE_H
#define PSOG_GAZE_TFLITE_H

/* TFLite Micro reads a model in place and wants it aligned to 16 bytes. */
#ifdef __cplusplus
#define PSOG_GAZE_TFLITE_ALIGNED alignas(16)
#else
#define PSOG_GAZE_TFLITE_ALIGNED _Alignas(16)
#endif

PSOG_GAZE_TFLITE_ALIGNED static const unsigned char psog_gaze_tflite[{size}] = {{
{values}
}};

#endif
"""


def c_array(net: IntegerNet, tflite: bytes) -> str:
    """A header that holds `tflite`, the file written from `net`, as a constant array (C11 or C++11)."""
    rows, columns = net.layout.shape
    return _TEMPLATE.format(
        headset=net.headset,
        size=len(tflite),
        rows=rows,
        columns=columns,
        planes=net.normalisation.planes,
        features=net.feature_count,
        operators=", ".join(resolver_calls(tflite)),
        values="\n".join(_line(tflite, start) for start in range(0, len(tflite), _BYTES_PER_LINE)),
    )


def _line(content: bytes, start: int) -> str:
    return "".join(f"{byte}," for byte in content[start : start + _BYTES_PER_LINE])
