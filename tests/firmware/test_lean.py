"""A lean build has the code that one model needs: it computes that as the whole runtime does, and refuses
what needs other code."""

from functools import cache

import numpy as np
import pytest

from psog.benchmarks.firmware_nets import make_image
from psog.device.client import open_headset
from psog.device.error_codes import DeviceErrorCode
from psog.errors import DeviceError, ToolchainError
from psog.firmware_export.binaries import section_sizes
from psog.firmware_export.budget import readings_over_range
from psog.firmware_export.image import read_image, write_image
from psog.firmware_export.installing import image_for
from psog.firmware_export.instructions import measure
from psog.firmware_export.lean import Lean, lean_for
from psog.firmware_export.toolchain import available_boards, board_target, build_runtime
from psog.virtual.boards import start_board
from tests.firmware.device import code, has, upload
from tests.random_nets import LayerPlan, random_net

BOARD = "mps2-an386"
SAME = (LayerPlan("conv", 6, "same"), LayerPlan("dense", 4))
VALID = (LayerPlan("conv", 6, "valid"), LayerPlan("dense", 4))
needs_board = pytest.mark.skipif(BOARD not in available_boards(), reason="no cross compiler or no QEMU")
needs_host = pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")


@cache
def image(name: str, packing: str) -> bytes:
    return image_for(make_image(name, 0), [packing])


def plain(plan, planes=1, seed=1) -> bytes:
    return write_image(*random_net(seed, plan, planes=planes))


BASE = plain(SAME)


CASES = [
    ("conv16-conv16-dense10", "int16"),
    ("conv16-conv16-dense10", "int8"),
    ("conv16-conv16-dense10-pruned", "int16"),
    ("conv16-conv32-dense44", "int16"),
    ("dense64-dense64-int4", "int4"),
]


def test_what_a_model_needs_is_read_off_its_layers():
    assert lean_for(image("conv16-conv16-dense10", "int16")) == Lean(0x2, 0x2, 0x01, False, False)
    assert lean_for(image("conv16-conv16-dense10", "int8")) == Lean(0x6, 0x4, 0x01, False, False)
    assert lean_for(image("conv16-conv16-dense10-pruned", "int16")) == Lean(0xA, 0x2, 0x01, False, False)
    assert lean_for(image("conv16-conv32-dense44", "int16")) == Lean(0x2, 0x2, 0x60, False, False)
    assert lean_for(image("dense64-dense64", "plain")) == Lean(0x0, 0x1, 0x00, False, False)


def test_a_header_says_the_same_as_the_definitions():
    lean = lean_for(image("conv16-conv16-dense10-pruned", "int8"))
    defined = [line.split()[1:3] for line in lean.header("it").splitlines() if line.startswith("#define")]
    assert [f"-D{name}={value}" for name, value in defined] == list(lean.definitions())
    assert "/* int16, sparse */" in lean.header("it")


@needs_board
@pytest.mark.parametrize(("name", "packing"), CASES)
def test_a_lean_runtime_computes_the_same_in_no_more_instructions(name, packing):
    data = image(name, packing)
    model = read_image(data)
    wire = readings_over_range(model.normalisation, 3, 0)
    whole, lean = measure(BOARD, data, wire), measure(BOARD, data, wire, lean_of=data)
    assert np.array_equal(lean.features, model.features(wire))
    assert np.array_equal(lean.gaze, whole.gaze)
    assert lean.instructions <= whole.instructions


@needs_board
@pytest.mark.parametrize("other", CASES[1:])
def test_a_lean_runtime_refuses_a_model_that_needs_other_code(other):
    data = image(*other)
    wire = readings_over_range(read_image(data).normalisation, 1, 0)
    with pytest.raises(ToolchainError, match="refused the model"):
        measure(BOARD, data, wire, lean_of=image(*CASES[0]))


@needs_board
def test_the_runtime_of_the_first_network_is_at_most_4_kb():
    elf = build_runtime(BOARD, lean=lean_for(image(*CASES[0])))
    assert section_sizes(elf, board_target(BOARD).target).flash_bytes <= 4096


@needs_host
@pytest.mark.parametrize("other", [plain(SAME, planes=2), image("dense64-dense64-int4", "plain4")])
def test_a_lean_headset_keeps_its_model_when_it_is_sent_another_kind(tmp_path, other):
    with (
        start_board("host", tmp_path / "flash", lean=lean_for(BASE)) as board,
        open_headset(board.port) as headset,
    ):
        upload(headset, BASE)
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.LEAN)):
            headset.upload(other)
        assert has(headset, BASE)
        headset.restart()
        assert has(headset, BASE)
        assert upload(headset, plain(SAME, seed=2))  # of the same kind


@needs_host
def test_the_refusal_says_what_to_do(tmp_path):
    with (
        start_board("host", tmp_path / "flash", lean=lean_for(image("dense64-dense64", "plain"))) as board,
        open_headset(board.port) as headset,
        pytest.raises(DeviceError, match="build it for this one, or in full"),
    ):
        headset.upload(plain(VALID))
