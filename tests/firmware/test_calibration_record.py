"""Calibrations in flash: always the old one or the new one, of the model in use, whenever the power goes."""

import struct
import zlib

import pytest

from tests.firmware.c_api import Device
from tests.firmware.stored import (
    BIASES,
    FLASH,
    FLOATS,
    GEOMETRIES,
    NEW,
    OK,
    OLD,
    TOLD,
    crc,
    device_with,
    install,
)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_power_cut_while_saving_leaves_the_old_or_the_new_calibration(geometry):
    device = device_with(OLD, geometry)
    first, second = [float(i) for i in range(FLOATS)], [float(-i) for i in range(FLOATS)]
    assert device.save(first) == OK
    before = bytes(device.flash.memory)
    device.flash.operations = 0
    assert device.save(second) == OK
    for cut in range(device.flash.operations):
        device.flash.memory[:] = before
        device.flash.power = cut
        error = device.save(second)
        device.start()
        assert device.calibration(FLOATS) == (second if error == OK else first)
    assert error == OK  # the last mark only saves the next start some work


def test_the_newest_calibration_counts():
    device = device_with(OLD)
    assert device.calibration(FLOATS) is None
    for turn in range(5):
        rows = [float(turn + i) for i in range(FLOATS)]
        assert device.save(rows) == OK
        device.start()
        assert device.calibration(FLOATS) == rows


def test_a_damaged_calibration_gives_way_to_the_one_before():
    device = device_with(OLD)
    first = [1.0] * FLOATS
    device.save(first)
    device.save([2.0] * FLOATS)
    second_slot = 2 * device.store.model_slot_bytes + device.store.calibration_slot_bytes
    device.flash.memory[second_slot + 20] ^= 1
    assert device.calibration(FLOATS) == first


def test_a_calibration_of_another_model_is_ignored():
    device = device_with(OLD)
    device.save([1.0] * FLOATS)
    assert install(device, NEW) == OK
    assert device.calibration(FLOATS) is None


def test_a_user_s_biases_are_kept_with_the_head():
    device = device_with(TOLD)
    for turn in range(3):
        rows, biases = [float(turn + i) for i in range(FLOATS)], [turn - i for i in range(BIASES)]
        assert device.save(rows, biases) == OK
        device.start()
        assert device.calibration(FLOATS, BIASES) == [*rows, *biases]


def test_a_power_cut_while_saving_biases_leaves_the_old_calibration():
    device = device_with(TOLD)
    first = [1.0] * FLOATS, [2] * BIASES
    assert device.save(*first) == OK
    before = bytes(device.flash.memory)
    device.flash.operations = 0
    assert device.save([3.0] * FLOATS, [4] * BIASES) == OK
    for cut in range(device.flash.operations):
        device.flash.memory[:] = before
        device.flash.power = cut
        error = device.save([3.0] * FLOATS, [4] * BIASES)
        device.start()
        number, bias = (3.0, 4) if error == OK else (1.0, 2)
        assert device.calibration(FLOATS, BIASES) == [number] * FLOATS + [bias] * BIASES


SIZE = (20 + 4 * (FLOATS + BIASES) + 7) & ~7


def record_of(device: Device) -> tuple[int, bytes]:
    """Where the first calibration slot begins, and the record of FLOATS rows and BIASES biases there."""
    at = 2 * device.store.model_slot_bytes
    return at, bytes(device.flash.memory[at : at + SIZE])


def replace_record(device: Device, record: bytes) -> None:
    """Put a record into the first slot, with marks that fit."""
    at, _ = record_of(device)
    value = zlib.crc32(record)
    marks = b"".join(struct.pack("<II", value ^ n, ~(value ^ n) & 0xFFFFFFFF) for n in range(3))
    device.flash.memory[at : at + SIZE + len(marks)] = record + marks


@pytest.mark.parametrize(
    ("offset", "kind", "value"),
    [(4, "H", 3), (4, "H", 5), (16, "H", 21), (16, "H", 769), (18, "H", 1), (80, "f", 1e38 * 10)],
    ids=["older version", "newer version", "fewer biases", "too many biases", "reserved", "infinite"],
)
def test_a_record_that_is_not_sound_is_ignored_and_written_over(offset, kind, value):
    device = device_with(TOLD)
    device.save([1.0] * FLOATS, [2] * BIASES)
    _, record = record_of(device)
    changed = bytearray(record)
    struct.pack_into("<" + kind, changed, offset, value if kind == "H" else float("inf"))
    replace_record(device, bytes(changed))
    assert device.calibration(FLOATS, BIASES) is None
    assert device.save([5.0] * FLOATS, [6] * BIASES) == OK
    assert device.calibration(FLOATS, BIASES) == [5.0] * FLOATS + [6] * BIASES


def test_a_record_of_the_first_version_is_ignored():
    device = device_with(OLD)
    at = 2 * device.store.model_slot_bytes
    record = struct.pack("<4sHHII", b"PCAL", 1, 7, 0, crc(OLD)) + struct.pack(f"<{FLOATS}f", *range(FLOATS))
    record += struct.pack("<I", zlib.crc32(record))
    device.flash.memory[at : at + len(record)] = record
    assert device.start() == OK
    assert device.calibration(FLOATS) is None


@pytest.mark.parametrize("saved", [1, 2, 3])
def test_erasing_leaves_no_byte_of_a_calibration(saved):
    device = device_with(OLD)
    for turn in range(saved):
        device.save([float(turn + 1)] * FLOATS)
    assert device.erase() == OK
    assert device.calibration(FLOATS) is None
    assert set(device.flash.memory[2 * device.store.model_slot_bytes :]) == {0xFF}


def test_a_power_cut_while_erasing_never_brings_back_the_older_calibration():
    device = device_with(OLD)
    device.save([1.0] * FLOATS)
    device.save([2.0] * FLOATS)
    before = bytes(device.flash.memory)
    blocks = device.store.calibration_slot_bytes // 1024
    for cut in range(2 * blocks):
        device.flash.memory[:] = before
        device.flash.power = cut
        assert device.erase() == FLASH
        device.start()
        assert device.calibration(FLOATS) == ([2.0] * FLOATS if cut <= blocks else None)
