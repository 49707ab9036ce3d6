"""The tensor arena of TFLite Micro and the operators of its resolver, from the exported file itself."""

import re

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

from psog.cli.main import main
from psog.errors import ModelError
from psog.firmware_export import tflm_arena
from psog.firmware_export.flatbuffer import GraphBuilder
from psog.firmware_export.tflite import add_layer, write_tflite
from psog.firmware_export.tflm_arena import (
    estimated_bytes,
    find_arena,
    kernel_bytes,
    measured_bytes,
    try_sizes,
)
from psog.firmware_export.tflm_operators import resolver_calls
from psog.firmware_export.tflm_values import operators_header
from psog.headset import load_headset
from psog.net.store import save_model
from tests.random_nets import PLANS, LayerPlan, random_net


@pytest.fixture
def file(tmp_path):
    tflite = write_tflite(*random_net(0, "same"))
    (tmp_path / "gaze.tflite").write_bytes(tflite)
    return tmp_path / "gaze.tflite"


def test_the_arena_is_the_smallest_that_the_interpreter_takes(file):
    size = measured_bytes(file.read_bytes())
    assert try_sizes(file, size // 16, size // 16) == [(size, True)]
    assert try_sizes(file, size // 16 - 1, size // 16 - 1) == [(size - 16, False)]


def test_a_crash_of_the_interpreter_is_a_no(file):
    """Its allocators alone need more than 160 bytes, which it does not check."""
    answers = try_sizes(file, 1, 10)
    assert answers and not any(fits for _, fits in answers)


@pytest.mark.parametrize("plan", PLANS)
def test_the_estimate_is_above_what_is_measured_and_not_far(plan):
    net, headset = random_net(1, plan)
    measured = measured_bytes(write_tflite(net, headset))
    assert measured <= estimated_bytes(net) <= 2 * measured


def test_the_first_network_of_the_comparison_leaves_room_for_a_cortex_m():
    """Without the float head it was seen to use 1,764 to 2,420 bytes there, depending on the kernels; the PC
    needs 2,816 with the reference kernels (docs/tflm.md)."""
    net, headset = random_net(0, (*PLANS["same"], LayerPlan("dense", 2)), planes=1)
    arena = find_arena(net, write_tflite(net, headset))
    assert measured_bytes(without_head(net)) == 2_816
    assert arena.measured and arena.interpreter_bytes > 2_816
    assert arena.kernel_bytes == kernel_bytes(net) >= 2_420 - 1_764
    assert arena.reserved_bytes == arena.interpreter_bytes + arena.kernel_bytes


def without_head(net):
    """The network's file with its int8 layers alone."""
    graph = GraphBuilder()
    shapes = net.layer_shapes()
    source = last = graph.activation("input", shapes[0], net.input_quantization)
    for index, (layer, shape) in enumerate(zip(net.layers, shapes[1:], strict=True)):
        last = add_layer(graph, layer, f"layer{index}", last, shape)
    return graph.finish([source], [last])


def test_a_network_without_convolution_needs_no_columns():
    dense, _ = random_net(0, "dense")
    assert kernel_bytes(dense) == 4 * (64 + 64 + 32) + 32 * 5


def test_without_the_package_the_export_says_so_in_one_line(tmp_path, capsys, monkeypatch):
    net, _ = random_net(0, "same", load_headset("grid15"))
    save_model(tmp_path / "model", net, {})
    monkeypatch.setattr(tflm_arena, "find_spec", lambda name: None)
    main(["export", str(tmp_path / "model"), "--out", str(tmp_path / "out")])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "arena" in line]
    assert "an upper estimate; pip install 'psog[tflm]'" in line
    config = (tmp_path / "out" / "tflm" / "gaze_config.h").read_text()
    assert "upper estimate from the tensors (not measured" in config
    reserved = int(re.search(r"define GAZE_ARENA_BYTES (\d+)", config)[1])
    assert reserved == estimated_bytes(net) + kernel_bytes(net)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("same", ["AddConv2D", "AddFullyConnected", "AddDequantize"]),
        ("dense", ["AddFullyConnected", "AddDequantize"]),
    ],
)
def test_the_resolver_gets_exactly_the_files_operators(plan, expected):
    calls = resolver_calls(write_tflite(*random_net(0, plan)))
    assert calls == expected
    text = operators_header(calls)
    assert f"MicroMutableOpResolver<{len(expected)}>" in text
    assert re.findall(r"operators\.(\w+)\(\)", text) == expected


def test_an_operator_it_does_not_know_is_refused_by_name(file):
    model = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0)
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.SOFTMAX
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    with pytest.raises(ModelError, match="uses the operator SOFTMAX, expected CONV_2D, FULLY_CONNECTED"):
        resolver_calls(bytes(builder.Output()))
