"""Slots in flash: always the old model and calibration or the new ones, whenever the power goes."""

import struct
import zlib

import pytest

from psog.firmware_export.image import write_image
from tests.firmware.c_api import NO_SLOT, Device, SimulatedFlash
from tests.random_nets import random_net, with_embedding

OK, RANGE, STATE, HEADSET, FLASH, NO_MODEL, CRC, SELF_TEST = 0, -1, -3, -5, -7, -8, -11, -6
GEOMETRIES = [(64 * 1024, 1024, 8, 0xFF), (32 * 1024, 4096, 1, 0xFF), (48 * 1024, 2048, 4, 0x00)]


def make_image(seed: int) -> bytes:
    return write_image(*random_net(seed, "mixed"))


OLD, NEW = make_image(1), make_image(2)
FLOATS = 2 * (7 + 1)


def crc(image: bytes) -> int:
    return int.from_bytes(image[-4:], "little")


def send(device: Device, image: bytes) -> int:
    """A whole upload; the first error."""
    error = device.begin(image, crc(image))
    for offset in range(0, len(image), 192):
        error = error or device.add(offset, image[offset : offset + 192])
    return error or device.commit()


def device_with(image: bytes, geometry=GEOMETRIES[0]) -> Device:
    device = Device(SimulatedFlash(*geometry))
    assert send(device, image) == OK
    return device


def test_an_empty_flash_has_no_model():
    device = Device(SimulatedFlash())
    assert device.start() == NO_MODEL
    assert device.installed.slot == NO_SLOT


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_uploads_take_turns_between_the_slots_and_the_newest_is_found(geometry):
    device = Device(SimulatedFlash(*geometry))
    for turn, image in enumerate([OLD, NEW, OLD, NEW, NEW]):
        assert send(device, image) == OK
        assert device.model.crc32 == crc(image)
        assert device.start() == OK
        assert (device.model.crc32, device.installed.slot) == (crc(image), turn % 2)


def test_a_sequence_number_that_wraps_is_still_the_newest():
    device = device_with(OLD)
    header = struct.pack("<4sII", b"PSLT", 0xFFFFFFFF, len(OLD))
    device.flash.memory[0:16] = header + struct.pack("<I", zlib.crc32(header))
    assert device.start() == OK
    assert send(device, NEW) == OK
    assert device.installed.sequence == 0
    device.start()
    assert device.model.crc32 == crc(NEW)


def test_a_newer_model_that_has_rotted_gives_way_to_the_older():
    device = device_with(OLD)
    assert send(device, NEW) == OK
    device.flash.memory[device.store.model_slot_bytes + 64 + 200] ^= 4
    assert device.start() == OK
    assert device.model.crc32 == crc(OLD)


@pytest.mark.parametrize(
    ("offset", "size"), [(8, 192), (0, 0), (0, 5), (0, len(NEW) + 8)], ids=["gap", "empty", "odd", "too long"]
)
def test_a_piece_that_does_not_fit_is_refused_and_the_upload_goes_on(offset, size):
    device = device_with(OLD)
    assert device.begin(NEW, crc(NEW)) == OK
    assert device.add(offset, bytes(size)) == RANGE
    for at in range(0, len(NEW), 192):
        assert device.add(at, NEW[at : at + 192]) == OK
    assert device.commit() == OK


def test_an_image_that_is_too_large_is_refused():
    device = device_with(OLD)
    assert device.begin(bytes(device.store.model_slot_bytes), 0) == RANGE
    assert device.begin(bytes(96), 0) == RANGE
    assert device.start() == OK


def test_nothing_is_installed_without_an_upload():
    device = device_with(OLD)
    assert device.add(0, bytes(8)) == STATE
    assert device.commit() == STATE


def test_an_incomplete_upload_is_not_installed():
    device = device_with(OLD)
    assert device.begin(NEW, crc(NEW)) == OK
    assert device.add(0, NEW[:192]) == OK
    assert device.commit() == STATE
    assert device.model.crc32 == crc(OLD)


def test_a_model_for_other_sensors_is_refused():
    device = device_with(OLD)
    assert device.begin(NEW, crc(NEW)) == OK
    for at in range(0, len(NEW), 192):
        device.add(at, NEW[at : at + 192])
    assert device.commit(sensors=16) == HEADSET
    assert device.start() == OK
    assert device.model.crc32 == crc(OLD)


def test_an_image_damaged_on_the_way_is_not_installed():
    device = device_with(OLD)
    damaged = bytearray(NEW)
    damaged[300] ^= 16
    assert device.begin(NEW, crc(NEW)) == OK
    for at in range(0, len(NEW), 192):
        device.add(at, bytes(damaged[at : at + 192]))
    assert device.commit() == CRC
    assert device.start() == OK
    assert device.model.crc32 == crc(OLD)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_power_cut_during_an_upload_leaves_the_old_or_the_new_model(geometry):
    device = device_with(OLD, geometry)
    before = bytes(device.flash.memory)
    device.flash.operations = 0
    assert send(device, NEW) == OK
    operations = device.flash.operations
    # Every cut near the ends, where headers are erased and written, and a sample in between.
    cuts = {*range(12), *range(0, operations, 53), *range(operations - 12, operations)}
    outcomes = []
    for cut in sorted(c for c in cuts if c >= 0):
        device.flash.memory[:] = before
        device.start()
        device.flash.power = cut
        assert send(device, NEW) == FLASH
        assert device.start() == OK
        outcomes.append(device.model.crc32)
    assert set(outcomes) == {crc(OLD)}  # the new one counts with its last byte, and then nothing is cut


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
        assert device.save(second) == FLASH
        device.start()
        assert device.calibration(FLOATS) == first


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
    assert send(device, NEW) == OK
    assert device.calibration(FLOATS) is None


TOLD = write_image(with_embedding(random_net(3, "mixed")[0], 3, 5), random_net(3, "mixed")[1])
BIASES = 6 + 9 + 7


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
        assert device.save([3.0] * FLOATS, [4] * BIASES) == FLASH
        device.start()
        assert device.calibration(FLOATS, BIASES) == [1.0] * FLOATS + [2] * BIASES


def record_of(device: Device) -> tuple[int, bytes]:
    """Where the first calibration slot begins, and the record of FLOATS rows and BIASES biases there."""
    at = 2 * device.store.model_slot_bytes
    return at, bytes(device.flash.memory[at : at + 20 + 4 * (FLOATS + BIASES) + 4])


def replace_record(device: Device, record: bytes) -> None:
    """Put a record into the first slot, with a CRC that fits."""
    at, old = record_of(device)
    sealed = record[:-4] + struct.pack("<I", zlib.crc32(record[:-4]))
    assert len(sealed) <= len(old)
    device.flash.memory[at : at + len(sealed)] = sealed


@pytest.mark.parametrize(
    ("offset", "kind", "value"),
    [(4, "H", 2), (4, "H", 4), (16, "H", 21), (16, "H", 769), (18, "H", 1), (80, "f", 1e38 * 10)],
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


def test_sectors_of_128_kb_are_a_slot_each():
    """Sectors 8 to 11 of an STM32F405 (boards/netduinoplus2)."""
    sector = 128 * 1024
    device = device_with(OLD, (4 * sector, sector, 4, 0xFF))
    assert (device.store.model_slot_bytes, device.store.calibration_slot_bytes) == (sector, sector)
    for turn in range(2):
        assert device.save([float(turn)] * FLOATS) == OK
    assert device.calibration(FLOATS) == [1.0] * FLOATS
    assert send(device, NEW) == OK
    device.start()
    assert device.model.crc32 == crc(NEW)


@pytest.mark.parametrize(
    "geometry",
    [
        (64 * 1024, 1000, 8, 0xFF),
        (64 * 1024, 1024, 16, 0xFF),
        (1024, 1024, 8, 0xFF),
        (65000, 1024, 8, 0xFF),
        (1 << 20, 1 << 18, 4, 0xFF),
    ],
)
def test_a_flash_that_cannot_be_divided_is_refused(geometry):
    with pytest.raises(AssertionError):
        Device(SimulatedFlash(*geometry))
