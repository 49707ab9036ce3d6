"""What a start looks at again: signature, checksum and shapes always; the values in an image's arrays only
when the slot's header does not say that they have been checked."""

import struct
import zlib

import pytest

from tests.firmware.c_api import Device, SimulatedFlash
from tests.firmware.stored import NO_MODEL, OK, OLD, device_with, send
from tests.firmware_export.images import changed, sparse_image, u32

IMAGE_AT, MARKS_AT = 64, 32
IMAGE = -4
NAN = float("nan")
TODAYS, OLDER = b"T", b"S"
LAYOUT_AT, LAYERS_AT, HEAD_AT = (u32(OLD, at) for at in (48, 52, 56))
MULTIPLIERS_AT = u32(OLD, LAYERS_AT + 20)
BAD_VALUES = {
    "layout": changed(OLD, LAYOUT_AT, 255),
    "head": changed(OLD, HEAD_AT, NAN, "<f"),
    "multiplier": changed(OLD, MULTIPLIERS_AT, 1, "<I"),
}
BAD_SHAPES = {
    "too many features": changed(OLD, 38, 65, "<H"),
    "channels that do not fit": changed(OLD, LAYERS_AT + 6, 200, "<H"),
    "weights beyond the end": changed(OLD, LAYERS_AT + 12, len(OLD), "<I"),
    "an unknown packing": changed(OLD, LAYERS_AT + 32, 6),
    "another magic": changed(OLD, 0, 0),
}


def flash_holding(image: bytes, checks: bytes) -> SimulatedFlash:
    """A slot with a confirmed model, whose header has this letter, as whoever writes flash could make it."""
    flash = SimulatedFlash()
    header = struct.pack("<3scII", b"PSL", checks, 0, len(image))
    sealed = zlib.crc32(header)
    marks = {n: struct.pack("<II", sealed ^ n, ~(sealed ^ n) & 0xFFFFFFFF) for n in (0, 2, 3)}
    head = header + struct.pack("<I", sealed) + b"\xff" * 16 + marks[0] + b"\xff" * 8 + marks[2] + marks[3]
    assert len(head) == IMAGE_AT
    flash.memory[: IMAGE_AT + len(image)] = head + image
    return flash


def test_a_commit_notes_todays_checks():
    device = device_with(OLD)
    assert bytes(device.flash.memory[:4]) == b"PSL" + TODAYS


@pytest.mark.parametrize("checks", [TODAYS, OLDER])
def test_a_sound_model_is_found_whatever_was_noted(checks):
    device = Device(flash_holding(OLD, checks))
    assert device.start() == OK
    assert bytes(device.flash.memory[:4]) == b"PSL" + checks  # a start writes no header


@pytest.mark.parametrize("image", BAD_VALUES.values(), ids=BAD_VALUES)
def test_values_are_looked_at_unless_the_header_says_they_were(image):
    assert Device(flash_holding(image, OLDER)).start() == NO_MODEL
    assert Device(flash_holding(image, TODAYS)).start() == OK


@pytest.mark.parametrize("image", BAD_VALUES.values(), ids=BAD_VALUES)
def test_a_commit_looks_at_values_and_notes_nothing_of_a_bad_image(image):
    device = device_with(OLD)
    slot = device.store.model_slot_bytes
    assert send(device, image) == OK
    assert device.commit() == IMAGE
    assert set(device.flash.memory[slot : slot + IMAGE_AT]) == {0xFF}


@pytest.mark.parametrize("checks", [TODAYS, OLDER])
@pytest.mark.parametrize("image", BAD_SHAPES.values(), ids=BAD_SHAPES)
def test_no_header_makes_wrong_shapes_acceptable(image, checks):
    assert Device(flash_holding(image, checks)).start() == NO_MODEL


@pytest.mark.parametrize("at", [LAYOUT_AT, HEAD_AT + 3, MULTIPLIERS_AT, len(OLD) - 1])
def test_no_header_makes_a_damaged_image_acceptable(at):
    damaged = bytearray(OLD)
    damaged[at] ^= 1
    assert Device(flash_holding(bytes(damaged), TODAYS)).start() == NO_MODEL


def test_sparse_lists_are_values():
    image = sparse_image()
    weights = u32(image, u32(image, 52) + 36 + 12)
    beyond = changed(image, weights + 4, len(image), "<I")
    assert Device(flash_holding(image, OLDER)).start() == OK
    assert Device(flash_holding(beyond, OLDER)).start() == NO_MODEL
