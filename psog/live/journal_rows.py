"""Batches of readings as Arrow record batches and back: what a live recording's file is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.live.batch import Batch
from psog.recording import GAZE, sensor_columns


def schema_of(sensors: int) -> Any:
    """pyarrow's schema of readings with so many sensors' columns."""
    import pyarrow as pa

    floats = (*GAZE, "openness", "expected_error_deg")
    return pa.schema(
        [("t_us", pa.int64()), ("seq", pa.uint16())]
        + [(name, pa.float32()) for name in floats]
        + [("flags", pa.uint8()), ("host_time_s", pa.float64())]
        + [(name, pa.uint16()) for name in sensor_columns(sensors)]
    )


def to_arrow(batch: Batch, schema: Any) -> Any:
    """As pyarrow's."""
    import pyarrow as pa

    columns = [batch.t_us, batch.seq, *batch.gaze_deg.T, batch.openness, batch.expected_error_deg]
    columns += [batch.flags, batch.host_time_s, *(() if batch.readings is None else batch.readings.T)]
    # pa.array would load pandas the first time, which takes longer than a power cut may cost.
    arrays = [
        pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(_packed(column, kind))])
        for kind, column in zip(schema.types, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _packed(column: NDArray[Any], kind: Any) -> NDArray[Any]:
    return np.ascontiguousarray(column, kind.to_pandas_dtype())


def from_arrow(found: Any, sensors: int) -> Batch:
    """The readings of pyarrow's record batch."""
    values = {name: found[name].to_numpy() for name in found.schema.names}
    readings = [values[name] for name in sensor_columns(sensors)]
    return Batch(
        values["t_us"],
        values["seq"],
        np.stack([values[name] for name in GAZE], axis=1),
        values["openness"],
        values["expected_error_deg"],
        values["flags"],
        values["host_time_s"],
        np.stack(readings, axis=1) if sensors else None,
    )
