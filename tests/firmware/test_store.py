"""Model slots: a new model is tried beside the old one, and stays only when it is told to."""

import struct
import zlib

import pytest

from tests.firmware.c_api import NEWEST, NO_SLOT, OLDER, Device, SimulatedFlash
from tests.firmware.stored import (
    FLASH,
    FLOATS,
    GEOMETRIES,
    HEADSET,
    LONG,
    NEW,
    NO_MODEL,
    OK,
    OLD,
    PIECE,
    RANGE,
    ROLLBACK,
    SIGNATURE,
    STATE,
    crc,
    device_with,
    install,
    make_image,
    send,
)


def test_an_empty_flash_has_no_model():
    device = Device(SimulatedFlash())
    assert device.start() == NO_MODEL
    assert device.installed.slot == NO_SLOT


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_uploads_take_turns_between_the_slots_and_the_newest_is_found(geometry):
    device = Device(SimulatedFlash(*geometry))
    for turn, image in enumerate([OLD, NEW, OLD, NEW, NEW]):
        assert install(device, image) == OK
        assert device.model.crc32 == crc(image)
        assert device.start() == OK
        assert (device.model.crc32, device.installed.slot) == (crc(image), turn % 2)


def test_every_block_is_worn_alike():
    device = Device(SimulatedFlash())
    for turn in range(10):
        assert install(device, OLD if turn % 2 else NEW) == OK
        assert device.save([float(turn)] * FLOATS) == OK
        device.start()
    slot, block = device.store.model_slot_bytes // 1024, 1024
    used = -(-(64 + len(OLD)) // block)
    wear = device.flash.erases
    assert wear[:used] == wear[slot : slot + used] == [5] * used
    # A calibration erases one slot, the confirmation of the next model that of the last one.
    assert max(wear[2 * slot :]) <= 2 * 10


def test_a_model_is_on_trial_until_it_is_confirmed():
    device = device_with(OLD)
    assert send(device, NEW) or device.commit() == OK
    assert (device.model.crc32, device.installed.trial) == (crc(NEW), True)
    device.start()
    assert (device.model.crc32, device.installed.trial) == (crc(OLD), False)
    assert install(device, NEW) == OK
    device.start()
    assert (device.model.crc32, device.installed.trial) == (crc(NEW), False)


def test_an_unconfirmed_model_does_not_come_back():
    device = device_with(OLD)
    assert send(device, NEW) or device.commit() == OK
    device.start()
    assert set(device.flash.memory[device.store.model_slot_bytes :][:1024]) == {0xFF}


def test_the_first_model_of_all_is_on_trial_too():
    device = Device(SimulatedFlash())
    assert send(device, OLD) or device.commit() == OK
    assert device.start() == NO_MODEL


def test_there_is_nothing_to_confirm_but_a_trial():
    device = Device(SimulatedFlash())
    assert device.confirm() == STATE
    assert install(device, OLD) == OK
    assert device.confirm() == STATE


def test_a_failed_trial_keeps_the_calibration_a_confirmed_model_forgets_it():
    device = device_with(OLD)
    rows = [1.0] * FLOATS
    assert device.save(rows) == OK
    assert send(device, NEW) or device.commit() == OK
    assert device.calibration(FLOATS) is None
    device.start()
    assert device.calibration(FLOATS) == rows
    assert install(device, NEW) == OK
    assert set(device.flash.memory[2 * device.store.model_slot_bytes :]) == {0xFF}


def test_the_same_model_again_keeps_its_calibration():
    device = device_with(OLD)
    assert device.save([1.0] * FLOATS) == OK
    assert install(device, OLD) == OK
    assert device.calibration(FLOATS) == [1.0] * FLOATS


def test_a_start_can_use_the_confirmed_model_before_the_newest():
    device = device_with(OLD)
    assert device.start(OLDER) == OK
    assert device.model.crc32 == crc(OLD)  # there is no other
    assert install(device, NEW) == OK
    assert device.start(OLDER) == OK
    assert device.model.crc32 == crc(OLD)
    assert device.start(NEWEST) == OK
    assert device.model.crc32 == crc(NEW)


def test_a_sequence_number_that_wraps_is_still_the_newest():
    device = device_with(OLD)
    header = struct.pack("<4sII", b"PSLT", 0xFFFFFFFF, len(OLD))
    sealed = zlib.crc32(header)
    marks = [struct.pack("<II", sealed ^ n, ~(sealed ^ n) & 0xFFFFFFFF) for n in (0, 2, 3)]
    device.flash.memory[0:16] = header + struct.pack("<I", sealed)
    device.flash.memory[32:64] = marks[0] + b"\xff" * 8 + marks[1] + marks[2]
    assert device.start() == OK
    assert install(device, NEW) == OK
    assert bytes(device.flash.memory[device.store.model_slot_bytes + 4 :][:4]) == bytes(4)
    device.start()
    assert device.model.crc32 == crc(NEW)


def test_a_newer_model_that_has_rotted_gives_way_to_the_older():
    device = device_with(OLD)
    assert install(device, NEW) == OK
    device.flash.memory[device.store.model_slot_bytes + 64 + 200] ^= 4
    assert device.start() == OK
    assert device.model.crc32 == crc(OLD)


@pytest.mark.parametrize(
    ("offset", "size"), [(8, 192), (0, 0), (0, 5), (0, 200)], ids=["gap", "empty", "odd", "too long"]
)
def test_a_piece_that_does_not_fit_is_refused_and_the_upload_goes_on(offset, size):
    device = device_with(OLD)
    assert device.begin(NEW, crc(NEW)) == OK
    assert device.add(offset, bytes(size)) == RANGE
    assert install(device, NEW) == OK


def test_an_image_that_is_too_large_is_refused():
    device = device_with(OLD)
    assert device.begin(bytes(device.store.model_slot_bytes), 0) == RANGE
    assert device.begin(bytes(96), 0) == RANGE
    assert device.start() == OK


def test_nothing_is_installed_without_an_upload():
    device = device_with(OLD)
    assert device.add(0, bytes(8)) == STATE
    assert device.commit() == STATE


def test_an_upload_goes_on_after_a_commit_that_came_too_early():
    device = device_with(OLD)
    assert send(device, NEW, PIECE) == OK
    assert device.commit() == STATE
    assert device.model.crc32 == crc(OLD)
    assert device.begin(NEW, crc(NEW)) == OK
    assert device.upload.received == PIECE


def test_a_model_older_than_the_confirmed_one_is_refused():
    second, first = make_image(1, version=2), make_image(2, version=1)
    device = device_with(second)
    assert send(device, first) or device.commit() == ROLLBACK
    assert device.model.crc32 == crc(second)
    assert install(device, make_image(2, version=2)) == OK


def test_a_model_on_trial_does_not_count_for_what_is_older():
    device = device_with(make_image(1, version=1))
    assert send(device, make_image(2, version=9)) or device.commit() == OK
    device.start()
    assert install(device, make_image(3, version=1)) == OK


def test_a_model_for_other_sensors_is_refused():
    device = device_with(OLD)
    assert send(device, NEW) == OK
    assert device.commit(sensors=16) == HEADSET
    assert device.start() == OK
    assert device.model.crc32 == crc(OLD)


def test_an_image_damaged_on_the_way_is_not_installed_and_not_gone_on_with():
    device = device_with(OLD)
    damaged = bytearray(NEW)
    damaged[300] ^= 16
    assert send(device, bytes(damaged)) == OK
    assert device.commit() == SIGNATURE
    assert install(device, NEW) == OK


def test_sectors_of_128_kb_are_a_slot_each():
    """Sectors 8 to 11 of an STM32F405 (boards/netduinoplus2)."""
    sector = 128 * 1024
    device = device_with(OLD, (4 * sector, sector, 4, 0xFF))
    assert (device.store.model_slot_bytes, device.store.calibration_slot_bytes) == (sector, sector)
    for turn in range(2):
        assert device.save([float(turn)] * FLOATS) == OK
    assert device.calibration(FLOATS) == [1.0] * FLOATS
    assert install(device, NEW) == OK
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


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_an_upload_that_breaks_off_goes_on_where_it_was(geometry):
    device = device_with(OLD, geometry)
    assert send(device, LONG, 10 * PIECE) == OK
    assert device.begin(LONG, crc(LONG)) == OK
    assert device.upload.received == 10 * PIECE
    assert install(device, LONG) == OK


@pytest.mark.parametrize("pieces", [1, 5, 6, 11, 31])
def test_after_a_restart_it_goes_on_at_the_block_in_which_it_ended(pieces):
    device = device_with(OLD)
    assert send(device, LONG, pieces * PIECE) == OK
    device.start()
    assert device.begin(LONG, crc(LONG)) == OK
    end = 64 + pieces * PIECE
    assert device.upload.received == max((end - 1) // 1024 * 1024 - 64, 0)
    assert install(device, LONG) == OK
    device.start()
    assert device.model.crc32 == crc(LONG)


def test_another_image_begins_anew():
    device = device_with(OLD)
    assert send(device, LONG, 20 * PIECE) == OK
    assert device.begin(NEW, crc(NEW)) == OK
    assert device.upload.received == 0


def test_a_write_that_flash_refuses_ends_the_upload():
    device = device_with(OLD)
    assert device.begin(NEW, crc(NEW)) == OK
    device.flash.power = 3
    assert device.add(0, NEW[:PIECE]) == FLASH
    assert device.add(0, NEW[:PIECE]) == STATE
