"""A TFLite graph, operator by operator, through the object API of the TFLite schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from psog.net.integer import Float32, Quantization

_SCHEMA_VERSION = 3
_LAST_OLD_CODE = 127  # operator codes up to here also fill the byte that old readers look at
_VERSIONS = {"CONV_2D": 3, "FULLY_CONNECTED": 4, "DEQUANTIZE": 2}
"""Operator versions: int8 for all, and FULLY_CONNECTED's per-tensor form, which every runtime knows."""
_TYPES = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.float32): schema.TensorType.FLOAT32,
}


class GraphBuilder:
    """Collects tensors and operators; tensors are referred to by their number. Batches are of one."""

    def __init__(self) -> None:
        self._buffers = [schema.BufferT()]  # the first is the empty one, by convention
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[str] = []
        self._metadata: list[Any] = []

    def activation(self, name: str, shape: Sequence[int], quantization: Quantization) -> int:
        """An int8 tensor computed at run time; `shape` is without the batch."""
        number = self._tensor(name, (1, *shape), schema.TensorType.INT8)
        scale = np.array([quantization.scale], np.float32)
        self._tensors[number].quantization = _quantization(scale, quantization.zero_point)
        return number

    def real(self, name: str, shape: Sequence[int]) -> int:
        """A float32 tensor computed at run time; `shape` is without the batch."""
        return self._tensor(name, (1, *shape), schema.TensorType.FLOAT32)

    def constant(self, name: str, values: NDArray[Any], scale: Float32 | None = None) -> int:
        """A constant tensor; `scale` is (1,) or one for each entry of its first axis, zero points are 0."""
        number = self._tensor(name, values.shape, _TYPES[values.dtype])
        self._tensors[number].buffer = self._buffer(values.astype(values.dtype.newbyteorder("<")).tobytes())
        if scale is not None:
            self._tensors[number].quantization = _quantization(scale, 0)
        return number

    def convolution(
        self, source: int, weight: int, bias: int, output: int, *, same: bool, relu: bool
    ) -> None:
        """A convolution with stride 1."""
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME if same else schema.Padding.VALID
        options.strideH = options.strideW = 1
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = _activation(relu=relu)
        self._operator("CONV_2D", [source, weight, bias], output, "Conv2DOptions", options)

    def dense(self, source: int, weight: int, bias: int, output: int, *, relu: bool) -> None:
        """A dense layer over the flattened source."""
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = _activation(relu=relu)
        self._operator("FULLY_CONNECTED", [source, weight, bias], output, "FullyConnectedOptions", options)

    def dequantize(self, source: int, output: int) -> None:
        """int8 to float32."""
        self._operator("DEQUANTIZE", [source], output, "DequantizeOptions", schema.DequantizeOptionsT())

    def metadata(self, name: str, content: bytes) -> None:
        """An entry of the file's metadata table."""
        entry = schema.MetadataT()
        entry.name = name
        entry.buffer = self._buffer(content)
        self._metadata.append(entry)

    def finish(self, inputs: list[int], outputs: list[int]) -> bytes:
        """The file."""
        graph = schema.SubGraphT()
        graph.name = "main"
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = inputs, outputs
        model = schema.ModelT()
        model.version = _SCHEMA_VERSION
        model.description = "psog"
        model.operatorCodes = [_operator_code(name) for name in self._codes]
        model.subgraphs, model.buffers, model.metadata = [graph], self._buffers, self._metadata
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: Sequence[int], kind: int) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.type = name, kind
        tensor.shape = [int(length) for length in shape]
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _buffer(self, content: bytes) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self._buffers.append(buffer)
        return len(self._buffers) - 1

    def _operator(self, name: str, inputs: list[int], output: int, kind: str, options: object) -> None:
        if name not in self._codes:
            self._codes.append(name)
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.index(name)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        operator.builtinOptions = options
        self._operators.append(operator)


def _operator_code(name: str) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, _LAST_OLD_CODE)
    code.version = _VERSIONS[name]
    return code


def _activation(*, relu: bool) -> int:
    kinds = schema.ActivationFunctionType
    return int(kinds.RELU if relu else kinds.NONE)


def _quantization(scale: Float32, zero_point: int) -> Any:
    parameters = schema.QuantizationParametersT()
    parameters.scale = [float(value) for value in scale]
    parameters.zeroPoint = [zero_point] * len(scale)
    return parameters
