"""Costs are measured on the emulated core, and what it computes is what the integer network computes."""

from pathlib import Path

import numpy as np
import pytest

from psog.device.identity import SIGNATURE_BYTES
from psog.errors import ModelError, ShapeError, ToolchainError
from psog.firmware_export.binaries import section_sizes
from psog.firmware_export.image import read_image, write_image
from psog.firmware_export.image_file import load_image
from psog.firmware_export.image_writer import repacked
from psog.firmware_export.instructions import measure
from psog.firmware_export.keys import DEVELOPMENT_KEY
from psog.firmware_export.toolchain import board_target, build_board, build_runtime
from tests.firmware.emulated import EMULATED, ONE_PER_CORE, pairs
from tests.random_nets import PLANS, LayerPlan, random_net, random_readings

pytestmark = pytest.mark.skipif(not EMULATED, reason="no cross compiler or no QEMU is installed")


@pytest.mark.parametrize("board", ONE_PER_CORE)
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("plan", PLANS)
def test_the_core_computes_the_integer_network_to_the_bit(board, plan, corners):
    net, headset = random_net(21, plan, corners=corners, pairable=pairs(board))
    wire = random_readings(np.random.default_rng(21), net.normalisation, 300)
    found = measure(board, write_image(net, headset), wire)
    features = net.features(net.input(wire))
    np.testing.assert_array_equal(found.features, features)
    np.testing.assert_allclose(found.gaze, net.apply_head(features), atol=1e-3)


@pytest.mark.parametrize("board", ONE_PER_CORE)
def test_a_count_is_exact_and_grows_with_the_work(board):
    net, headset = random_net(1, "same", pairable=True)
    image = write_image(net, headset)
    wire = random_readings(np.random.default_rng(1), net.normalisation, 500)
    first, again = measure(board, image, wire), measure(board, image, wire)
    assert (first.instructions, first.mix, first.cycles) == (again.instructions, again.mix, again.cycles)
    kinds = {kind: n for kind, n in vars(first.mix).items() if kind not in ("words_moved", "jumps_taken")}
    assert sum(kinds.values()) == first.instructions
    larger_net, larger_headset = random_net(1, "deep", pairable=True)
    larger = measure(board, write_image(larger_net, larger_headset), wire)
    assert net.macs / 5 < first.instructions < 10 * net.macs  # MVE does 16 in one, DSP instructions 2
    assert larger.tune_add_instructions > 2 * first.tune_add_instructions  # 64 features against 10
    assert larger.tune_solve_instructions > 8 * first.tune_solve_instructions  # and about their square
    assert larger.tune_inference_instructions == 0


@pytest.mark.skipif("mps2-an386" not in EMULATED, reason="no cross compiler or no QEMU is installed")
def test_a_calibration_of_32_features_keeps_within_its_bounds():
    """Nine targets, told and with each left out in turn, on a Cortex-M4F; memory for thirteen."""
    image = load_image(Path("ring16"))
    wire = random_readings(np.random.default_rng(1), read_image(image).normalisation, 4)
    found = measure("mps2-an386", image, wire)
    assert found.tune_add_instructions <= 6_000
    assert found.tune_solve_instructions <= 400_000
    assert found.tune_inference_instructions == pytest.approx(36 * found.instructions, rel=0.05)
    assert found.ram_bytes + found.tune_ram_bytes <= 6 * 1024
    assert found.tune_stack_bytes <= 512


@pytest.mark.skipif("mps2-an386" not in EMULATED, reason="no cross compiler or no QEMU is installed")
def test_starting_costs_little_more_than_checking_the_image():
    """Three multiplications on the curve and two hashes; some 50 ms at 168 MHz."""
    net, headset = random_net(1, "same", pairable=True)
    image = write_image(net, headset)
    found = measure("mps2-an386", image, random_readings(np.random.default_rng(1), net.normalisation, 1))
    assert found.start_instructions <= 5_000
    size = len(repacked(image, "int16", DEVELOPMENT_KEY)) - SIGNATURE_BYTES
    assert found.start_crc_instructions == pytest.approx(10 * size, rel=0.05)
    assert found.signature_instructions <= 7_000_000
    assert found.signature_stack_bytes <= 3 * 1024


@pytest.mark.parametrize("board", ONE_PER_CORE)
def test_memory_is_what_the_model_needs(board):
    net, headset = random_net(1, "same", pairable=True)
    image = write_image(net, headset)
    found = measure(board, image, random_readings(np.random.default_rng(1), net.normalisation, 3))
    activations, features = (800 if pairs(board) else 480), 10
    assert activations + features < found.ram_bytes < activations + 160  # head and biases lie in flash
    kept, rows, room_for_fit = 13 * (12 + 4 * 10), 4 * 2 * 11, 4 * (66 + 4 * 11)
    assert kept + rows + max(room_for_fit - activations, 0) < found.tune_ram_bytes < 1024
    vectors = 96 if board == "mps3-an547" else 0  # registers that are saved, and sums beside them
    assert 64 < found.stack_bytes <= 512 + vectors
    assert 64 < found.tune_stack_bytes <= 512 + vectors


@pytest.mark.parametrize("board", ONE_PER_CORE)
def test_the_runtime_alone_is_smaller_than_the_firmware(board):
    target = board_target(board).target
    runtime = section_sizes(build_runtime(board), target).flash_bytes
    assert 2000 < runtime < section_sizes(build_board(board), target).flash_bytes


def test_readings_of_another_headset_are_refused():
    net, headset = random_net(1, pairable=True)
    with pytest.raises(ShapeError, match=r"expected \(1 to 4096, 15\)"):
        measure(EMULATED[0], write_image(net, headset), np.zeros((2, 16), np.uint16))


def test_a_board_that_is_not_emulated_cannot_be_measured():
    net, headset = random_net(1)
    with pytest.raises(ToolchainError, match="does not emulate board 'host'"):
        measure("host", write_image(net, headset), np.zeros((1, 15), np.uint16))


def test_a_model_that_a_core_cannot_run_is_refused():
    net, headset = random_net(1, (LayerPlan("conv", 1), LayerPlan("dense", 4)))
    with pytest.raises(ModelError, match="cannot pack layer 0 in pairs"):
        measure("mps2-an386", write_image(net, headset), np.zeros((1, 15), np.uint16))
