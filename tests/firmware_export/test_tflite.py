"""What is inside gaze.tflite: the operators, the integers as they were trained, and psog's metadata."""

import math

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from psog.errors import ModelError
from psog.firmware_export.image import write_image
from psog.firmware_export.interpreters import MicroInterpreter
from psog.firmware_export.tflite import read_metadata, write_tflite
from psog.headset import load_headset
from tests.random_nets import PLANS, LayerPlan, random_net

CONV, DENSE, DEQUANTIZE = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
    schema.BuiltinOperator.DEQUANTIZE,
)
# conv16, conv16, dense10, then the head of 3 × 10: the network of the TFLite Micro figures.
REFERENCE_PLAN = PLANS["same"]


class Graph:
    """A parsed file."""

    def __init__(self, data):
        self.model = schema.ModelT.InitFromPackedBuf(data, 0)
        self.graph = self.model.subgraphs[0]
        codes = [code.builtinCode for code in self.model.operatorCodes]
        self.operators = [(codes[op.opcodeIndex], op) for op in self.graph.operators]

    def values(self, tensor, dtype):
        tensor = self.graph.tensors[tensor]
        return np.frombuffer(bytes(self.model.buffers[tensor.buffer].data), dtype).reshape(tensor.shape)

    def macs(self, operator):
        """Of one operator, from its tensors' shapes alone."""
        code, op = operator
        if code == DEQUANTIZE:
            return 0
        weight = math.prod(self.graph.tensors[op.inputs[1]].shape)
        places = self.graph.tensors[op.outputs[0]].shape[1:3] if code == CONV else (1,)
        return weight * math.prod(places)


@pytest.mark.parametrize("plan", PLANS)
def test_layers_follow_each_other_without_a_reshape(plan):
    net, headset = random_net(0, plan)
    graph = Graph(write_tflite(net, headset))
    expected = [CONV if step.kind == "conv" else DENSE for step in PLANS[plan]]
    assert [code for code, _ in graph.operators] == [*expected, DEQUANTIZE, DENSE]
    source = graph.graph.inputs[0]
    for _, operator in graph.operators:
        assert operator.inputs[0] == source
        source = operator.outputs[0]
    assert list(graph.graph.outputs) == [graph.operators[-3][1].outputs[0], source]


@pytest.mark.parametrize("plan", PLANS)
def test_integers_and_scales_are_those_of_the_network(plan):
    net, headset = random_net(0, plan)
    graph = Graph(write_tflite(net, headset))
    for layer, (_, operator) in zip(net.layers, graph.operators, strict=False):
        weight, bias = operator.inputs[1:]
        np.testing.assert_array_equal(graph.values(weight, np.int8), layer.weight)
        np.testing.assert_array_equal(graph.values(bias, np.int32), layer.bias)
        scale = np.array(graph.graph.tensors[weight].quantization.scale, np.float32)
        np.testing.assert_array_equal(scale, layer.weight_scale)
        output = graph.graph.tensors[operator.outputs[0]].quantization
        assert np.float32(output.scale[0]) == layer.output.scale
        assert output.zeroPoint[0] == layer.output.zero_point


def test_dense_layers_are_quantized_per_tensor_in_the_version_every_runtime_knows():
    graph = Graph(write_tflite(*random_net(0, "dense")))
    (dense,) = [code for code in graph.model.operatorCodes if code.builtinCode == DENSE]
    assert dense.version == 4
    for _, operator in graph.operators[:3]:
        assert len(graph.graph.tensors[operator.inputs[1]].quantization.scale) == 1


@pytest.mark.parametrize("plan", PLANS)
def test_multiply_accumulates_of_the_file_are_the_networks(plan):
    net, headset = random_net(0, plan)
    graph = Graph(write_tflite(net, headset))
    shapes = net.layer_shapes()
    expected = [layer.macs(shape) for layer, shape in zip(net.layers, shapes, strict=False)]
    assert [graph.macs(operator) for operator in graph.operators[: len(net.layers)]] == expected
    assert sum(map(graph.macs, graph.operators)) == net.macs


def test_the_reference_network_has_the_macs_and_the_size_of_the_comparison():
    """39,140 MACs and a flatbuffer of 8,496 bytes were measured with two outputs and without metadata."""
    net, headset = random_net(0, REFERENCE_PLAN)
    assert net.macs == 39_140 + 2 * net.feature_count  # the third and fourth output
    assert len(write_tflite(net, headset)) < 9_000
    assert len(write_image(net, headset)) < 6_500


def test_the_same_network_gives_the_same_bytes():
    assert write_tflite(*random_net(5, "mixed")) == write_tflite(*random_net(5, "mixed"))


@pytest.mark.parametrize("planes", [1, 2])
def test_metadata_tells_how_readings_become_gaze(planes):
    """A user with the file alone gets from a reading to the gaze of the test vector."""
    headset = load_headset("ring16").model_copy(update={"layout": SQUARE})
    net, headset = random_net(2, "valid", headset, planes=planes)
    data = write_tflite(net, headset)
    metadata = read_metadata(data)
    vector, fields = metadata["test_vector"], metadata["normalisation"]
    assert fields["planes"] == planes
    x = by_formula(fields, np.array(vector["reading"]))[np.array(metadata["layout"])]
    features, gaze = MicroInterpreter(data)(x[None])
    np.testing.assert_array_equal(features[0], vector["features"])
    np.testing.assert_allclose(gaze[0], vector["gaze"], rtol=0, atol=1e-3)
    assert metadata["headset"] == "ring16"
    assert metadata["wire"] == {"bits": 16, "adc_bits": headset.adc.bits, "alignment": "left"}
    assert metadata["gaze"] == ["gaze_h_deg", "gaze_v_deg", "openness", "ln_expected_error_deg"]


def by_formula(fields, wire):
    """(sensors,) readings to (sensors, planes) int8, by the letter of the file's own formula."""
    names = {name: np.array(fields[name]) for name in ("offset", "multiplier", "shift")}
    names |= {"wire": wire, "clip": np.clip}
    *steps, last = [step.strip() for step in fields["formula"].split(";")]
    for step in steps:
        name, expression = step.split(" = ")
        names[name] = eval(expression, names)
    final = last.split(" = ")[-1]
    planes = [names["coarse"]] if steps else []
    return np.stack([*planes, eval(final, names)], axis=-1).astype(np.int8)


SQUARE = tuple(tuple(range(4 * row, 4 * row + 4)) for row in range(4))


def test_the_test_vector_lies_inside_every_sensors_range():
    net, headset = random_net(3, "dense")
    reading = np.array([read_metadata(write_tflite(net, headset))["test_vector"]["reading"]], np.uint16)
    q = net.normalisation(reading)[0, :, 0].astype(int)
    assert np.abs(q).max() <= 65
    assert len(np.unique(q)) == len(q)


def test_a_file_of_someone_else_has_no_metadata():
    model = schema.ModelT.InitFromPackedBuf(write_tflite(*random_net(0)), 0)
    model.metadata = None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    assert read_metadata(bytes(builder.Output())) == {}


def test_what_the_device_image_refuses_is_refused_here_too():
    with pytest.raises(ModelError, match="65 features"):
        write_tflite(*random_net(1, (LayerPlan("dense", 65),)))
