"""Nothing but sound images are read: every damage gets one clear line, and the firmware agrees."""

import dataclasses
import functools
import re
import shutil
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psog.device.identity import SIGNATURE_BYTES
from psog.errors import ModelImageError
from psog.firmware_export.host_runtime import HostRuntime
from psog.firmware_export.image import read_image, write_image
from psog.firmware_export.image_format import MAX_CONTENT_BYTES
from psog.firmware_export.keys import DEVELOPMENT_KEY
from psog.firmware_export.packings import LAYER_PACKINGS, PACKINGS
from psog.firmware_export.toolchain import build_library
from tests.firmware_export.images import (
    SMALL,
    accepted,
    changed,
    repaired,
    signed,
    small_image,
    sparse_image,
    u32,
)
from tests.random_nets import LayerPlan, grid_headset, random_net, random_readings

read_development_image = functools.partial(read_image, public_key=DEVELOPMENT_KEY.public)
needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="the C runtime needs gcc")


def test_every_flipped_bit_is_noticed():
    data = small_image()
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not accepted(read_development_image, bytes(flipped)), f"bit {bit}"
        if bit < 8 * (len(data) - SIGNATURE_BYTES):
            assert not accepted(read_image, bytes(flipped)), f"bit {bit} without the key"


@pytest.mark.parametrize("repair", [False, True])
def test_every_truncation_is_noticed(repair):
    data = small_image()
    for length in range(len(data)):
        cut = data[:length]
        assert not accepted(read_image, repaired(cut) if repair and length > 68 else cut), f"length {length}"


@pytest.mark.parametrize(("shift", "sound"), [(3, False), (4, True)])
def test_two_input_planes_need_a_shift_that_leaves_room_for_the_residual(shift, sound):
    net, headset = random_net(1, SMALL, planes=2)
    normalisation = dataclasses.replace(net.normalisation, shift=shift)
    if sound:
        assert read_image(write_image(dataclasses.replace(net, normalisation=normalisation), headset))
    else:
        data = changed(write_image(net, headset), 40, shift)
        assert not accepted(read_image, data)
        with pytest.raises(ModelImageError, match="malformed"):
            HostRuntime(data)


@pytest.mark.parametrize("extra", [1, 4, 1000])
def test_bytes_behind_the_image_are_noticed(extra):
    assert not accepted(read_image, small_image() + bytes(extra))


LAYERS_AT = u32(small_image(), 52)
WRONG = {
    "begins with": (0, ord("Q"), "<B"),
    "format version is 1": (4, 1, "<H"),
    "header length is 92": (6, 92, "<H"),
    "its header says": (8, 100, "<I"),
    "headset name": (16, 0x0A, "<B"),
    "sensors is 0": (32, 0, "<H"),
    "sensors is 65": (32, 65, "<H"),
    "rows is 17": (34, 17, "<B"),
    "columns is 33": (35, 33, "<B"),
    "layers is 9": (36, 9, "<B"),
    "outputs is 2": (37, 2, "<B"),
    "features is 65": (38, 65, "<H"),
    "shift is 31": (40, 31, "<B"),
    "does not take what the layer before it gives": (41, 5, "<b"),
    "numbers is 33": (42, 33, "<B"),
    "statistics is 3": (43, 3, "<B"),
    "normalisation at offset 97": (44, 97, "<I"),
    "layout at offset 92": (48, 92, "<I"),
    "layer table at offset 4294967292": (52, 0xFFFFFFFC, "<I"),
    "head at offset": (56, len(small_image()) - 72, "<I"),
    "test vector at offset": (60, len(small_image()) - 64, "<I"),
    "feature scale is nan": (64, float("nan"), "<f"),
    "feature scale is -1": (64, -1.0, "<f"),
    "feature zero point is 200": (68, 200, "<i"),
    "ridge strength is 0": (72, 0.0, "<f"),
    "the header says 44": (76, 44, "<I"),
    "activation size is 16385": (76, 16385, "<I"),
    "field width is inf": (80, float("inf"), "<f"),
    "change of expected error": (88, float("inf"), "<f"),
    "user embedding without numbers": (92, 96, "<I"),
    "normalisation is out of range": (u32(small_image(), 44) + 4, 16384, "<i"),
    "names a sensor": (u32(small_image(), 48), 15, "<B"),
    "head holds a number": (u32(small_image(), 56), float("inf"), "<f"),
    "its head does not reproduce": (u32(small_image(), 56) + 16, 1e6, "<f"),
    "does not reproduce its test vector": (u32(small_image(), 60), 0, "<H"),
    "test vector holds": (u32(small_image(), 60) + 36, float("nan"), "<f"),
    "layer 0 is of an unknown kind": (LAYERS_AT, 2, "<B"),
    "layer 1 is of an unknown kind": (LAYERS_AT + 36 + 1, 2, "<B"),
    "layer 2 is dense with padding": (LAYERS_AT + 72 + 1, 1, "<B"),
    "layer 1 does not take": (LAYERS_AT + 36 + 2, 2, "<B"),
    "layer 0 needs": (LAYERS_AT + 6, 65535, "<H"),
    "layer 1 gives nothing": (LAYERS_AT + 36 + 6, 0, "<H"),
    "last layer does not give its features": (38, 3, "<H"),
    "layer 0 weights at offset 2": (LAYERS_AT + 12, 2, "<I"),
    "layer 0 biases at offset": (LAYERS_AT + 16, 0x7FFFFFFC, "<I"),
    "layer 1 multipliers at offset": (LAYERS_AT + 36 + 20, 0, "<I"),
    "layer 2 shifts at offset": (LAYERS_AT + 72 + 24, 0xFFFFFFFF, "<I"),
    "layer 2 corrections at offset": (LAYERS_AT + 72 + 28, 2, "<I"),
    "layer 2 is packed in an unknown way": (LAYERS_AT + 72 + 32, 256, "<I"),
    "plain layers and paired ones": (LAYERS_AT + 32, 1, "<I"),
    "layer 0 has a multiplier": (u32(small_image(), LAYERS_AT + 20), 5, "<i"),
    "multiplier or shift": (u32(small_image(), LAYERS_AT + 24), 8, "<b"),
    "layer 0 can overflow": (u32(small_image(), LAYERS_AT + 16), 2**31 - 1, "<i"),
}


@pytest.mark.parametrize("complaint", WRONG)
def test_a_wrong_field_is_named(complaint):
    with pytest.raises(ModelImageError, match=complaint):
        read_image(changed(small_image(), *WRONG[complaint]))


def test_a_grid_smaller_than_the_kernel_is_refused():
    net, headset = random_net(1, (LayerPlan("conv", 2, "same"), LayerPlan("dense", 3)), grid_headset(2, 4))
    data = write_image(net, headset)
    with pytest.raises(ModelImageError, match="smaller than its kernel"):
        read_image(changed(data, u32(data, 52) + 1, 0))


@pytest.fixture(scope="module")
def on_device():
    """Opens an image in the firmware's runtime, built once."""
    return functools.partial(HostRuntime, library=build_library())


@needs_compiler
@pytest.mark.parametrize(
    ("value", "packing"),
    [
        *((value, "plain") for value in (0, 1, 127, 128, 255)),
        (0, "int16"),
        (255, "int16"),
        (2, "int8"),
        (9, "int4"),
        (255, "plain4"),
    ],
)
def test_firmware_and_python_agree_about_every_changed_byte(value, packing, on_device):
    """Each byte in turn, with the CRC repaired: both take it or neither, and then the same bits come out."""
    data = small_image(packing=packing)
    wire = random_readings(np.random.default_rng(0), read_image(data).normalisation, 20)
    taken = [compare_with_firmware(changed(data, at, value), wire, on_device) for at in range(len(data) - 68)]
    assert 0 < sum(taken) < len(taken)


@needs_compiler
@pytest.mark.parametrize("value", [0, 1, 8, 255])
def test_they_agree_about_every_changed_byte_of_sparse_weights(value, on_device):
    data = sparse_image()
    wire = random_readings(np.random.default_rng(0), read_image(data).normalisation, 20)
    entry_at = u32(data, 52) + 36
    assert u32(data, entry_at + 32) == LAYER_PACKINGS.index("sparse")
    weights_at = u32(data, entry_at + 12)
    places = [*range(entry_at, entry_at + 36), *range(weights_at, weights_at + u32(data, weights_at))]
    taken = [compare_with_firmware(changed(data, at, value), wire, on_device) for at in places]
    assert 0 < sum(taken) < len(taken)


@needs_compiler
@pytest.mark.parametrize("value", [0, 127, 255])
def test_they_agree_about_every_changed_byte_of_a_user_embedding(value, on_device):
    data = small_image(numbers=2)
    wire = np.full((3, 15), 30_000, np.uint16)
    places = [42, 43, *range(92, 96), *range(u32(data, 92), u32(data, 92) + 422, 7)]
    taken = [compare_with_firmware(changed(data, at, value), wire, on_device) for at in places]
    assert 0 < sum(taken) < len(taken)


@needs_compiler
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_firmware_and_python_agree_about_several_changes(data, on_device):
    image = small_image(data.draw(st.integers(0, 3)), packing=data.draw(st.sampled_from(PACKINGS)))
    end = len(image) - SIGNATURE_BYTES
    words = st.sampled_from([0, 1, 0x7F, 0x80, 0xFFFF, 96, end - 4, end, 2**31 - 1, 2**32 - 1])
    edits = st.lists(st.tuples(st.integers(0, end // 4 - 2), words), min_size=1, max_size=4)
    for word, value in data.draw(edits):
        image = changed(image, 4 * word, value, "<I")
    compare_with_firmware(image, np.full((3, 15), 30_000, np.uint16), on_device)


def compare_with_firmware(data, wire, on_device):
    """Whether both take the image; features must then agree."""
    try:
        image = read_image(data)
    except ModelImageError as error:
        # Sums that overflow wrap on the device, and it does not look at each weight: it may take these.
        if not re.search("overflow|weights beyond int8", str(error)):
            assert not accepted(on_device, data)
        return False
    assert accepted(on_device, data)
    np.testing.assert_array_equal(image.features(wire), on_device(data).features(wire))
    return True


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=600))
def test_any_bytes_are_refused_in_one_line(data):
    assert not accepted(read_image, data)
    assert not accepted(read_image, signed(b"PSOG" + data))


@settings(deadline=None, max_examples=200)
@given(st.binary(min_size=88, max_size=400))
def test_any_content_in_a_sound_frame_is_refused_in_one_line(content):
    content += bytes(-len(content) % 4)
    head = b"PSOG" + struct.pack("<HHI", 4, 96, 12 + len(content) + 4)
    assert not accepted(read_image, signed(head + content))


def test_memory_is_bounded_whatever_the_header_claims():
    net, headset = random_net(0, (LayerPlan("dense", 1000), LayerPlan("dense", 990), LayerPlan("dense", 8)))
    data = write_image(net, headset)
    assert len(data) > 0.98 * MAX_CONTENT_BYTES
    tracemalloc.start()
    try:
        read_image(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * MAX_CONTENT_BYTES
    with pytest.raises(ModelImageError, match="at most"):
        read_image(data.ljust(MAX_CONTENT_BYTES + SIGNATURE_BYTES + 4, b"\0"))
