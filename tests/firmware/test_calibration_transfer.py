"""Calibrations read from a headset and written back: what is in use stays unless another one is sound."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from psog.device import messages as m
from psog.device.calibration_record import Calibration
from psog.device.client import Client, open_headset
from psog.device.conversation import CommandRefusedError
from psog.device.error_codes import DeviceErrorCode
from psog.device.messages import Stream
from psog.device.samples import GazeSample
from psog.errors import DeviceError
from psog.firmware_export.image import write_image
from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import start_board
from tests.firmware.device import (
    NET,
    OTHER_IMAGE,
    READINGS,
    begin_trial,
    calibrate,
    code,
    gaze_deg,
    streamed,
    upload,
)
from tests.random_nets import grid_headset, with_embedding

TOLD = with_embedding(NET, 1, 6)
IMAGE = write_image(TOLD, grid_headset(3, 5))
NOBODY = Calibration(7, np.zeros((2, 11), np.float32), np.zeros(0, np.int32))


def calibrated(headset: Client, board) -> Calibration:
    upload(headset, IMAGE)
    calibrate(headset, board)
    headset.tune_solve()
    headset.tune_accept()
    return headset.read_calibration()


def gaze(headset: Client, board) -> list[tuple[float, float]]:
    return gaze_deg(streamed(headset, board, Stream.GAZE, 0, 5)[GazeSample])


def test_a_calibration_that_was_read_can_be_written_back_and_survives_a_restart(board):
    with open_headset(board.port) as headset:
        found = calibrated(headset, board)
        assert found.head.shape == (2, TOLD.feature_count + 1)
        assert len(found.biases) == sum(layer.weight.shape[0] for layer in TOLD.layers)
        assert found.model_crc32 == headset.info.model_crc32
        own, stranger = gaze(headset, board), TOLD(READINGS[:5])[:, :2]
        headset.calibration_erase()
        np.testing.assert_allclose(gaze(headset, board), stranger, atol=1e-3)
        assert headset.write_calibration(found).calibrated
        assert gaze(headset, board) == own
        moved = replace(found, head=found.head + np.float32([[0] * TOLD.feature_count + [3], [0] * 11]))
        headset.write_calibration(moved)
        for _ in range(2):
            assert headset.read_calibration() == moved
            np.testing.assert_allclose(gaze(headset, board), np.add(own, (3, 0)), atol=1e-4)
            headset.restart()


@pytest.fixture
def host_board(tmp_path):
    if "host" not in available_boards():
        pytest.skip("no C compiler is installed")
    with start_board("host", tmp_path / "flash") as running:
        yield running


def write(headset: Client, record: bytes, crc32: int | None = None) -> None:
    told = {"total": len(record), "crc32": zlib.crc32(record) if crc32 is None else crc32}
    for at in range(0, len(record), 192):
        headset._talk.command(m.CALIBRATION_WRITE, {"offset": at, **told}, record[at : at + 192])


def changed(record: bytes, offset: int, kind: str, value: float) -> bytes:
    new = bytearray(record)
    struct.pack_into("<" + kind, new, offset, value)
    return bytes(new)


LIES = {
    "magic": (lambda r: changed(r, 0, "B", 0), "RANGE"),
    "version": (lambda r: changed(r, 4, "H", 3), "RANGE"),
    "features": (lambda r: changed(r, 6, "H", 9), "RANGE"),
    "most features": (lambda r: changed(r, 6, "H", 65535), "RANGE"),
    "model": (lambda r: changed(r, 12, "I", 1), "OTHER_MODEL"),
    "biases": (lambda r: changed(r, 16, "H", 769), "RANGE"),
    "reserved": (lambda r: changed(r, 18, "H", 1), "RANGE"),
    "infinite": (lambda r: changed(r, 24, "f", float("inf")), "RANGE"),
    "NaN": (lambda r: changed(r, 28, "f", float("nan")), "RANGE"),
    "too long": (lambda r: r + bytes(8), "RANGE"),
    "too short": (lambda r: r[:-8], "RANGE"),
    "no header": (lambda r: r[:19], "RANGE"),
    "longer than any": (lambda r: bytes(3700), "RANGE"),
    "a smaller model": (lambda r: NOBODY.to_bytes(), "OTHER_MODEL"),
}


def test_a_record_that_lies_is_refused_and_what_was_in_use_stays(host_board):
    with open_headset(host_board.port) as headset:
        found = calibrated(headset, host_board)
        for name, (lie, error) in LIES.items():
            with pytest.raises(CommandRefusedError) as refused:
                write(headset, lie(found.to_bytes()))
            assert refused.value.code == DeviceErrorCode[error], name
            assert headset.read_calibration() == found, name


def test_pieces_out_of_order_or_damaged_are_refused_and_what_was_in_use_stays(host_board):
    with open_headset(host_board.port) as headset:
        found = calibrated(headset, host_board)
        record = replace(found, head=found.head + 1).to_bytes()
        told = {"total": len(record), "crc32": zlib.crc32(record)}

        def piece(offset: int, data: bytes) -> int:
            try:
                headset._talk.command(m.CALIBRATION_WRITE, {"offset": offset, **told}, data)
            except CommandRefusedError as error:
                return int(error.code)
            return 0

        assert len(record) > 192
        assert piece(192, record[192:]) == DeviceErrorCode.RANGE  # the first is missing
        assert piece(0, b"") == DeviceErrorCode.RANGE
        assert piece(0, bytes(193)) == DeviceErrorCode.RANGE
        assert piece(0, record[:100]) == 0
        assert piece(96, record[96:]) == DeviceErrorCode.RANGE  # and with that all is forgotten
        assert piece(100, record[100:]) == DeviceErrorCode.RANGE
        assert piece(0, record[:100]) == 0
        assert piece(0, record[:192]) == 0  # begins anew
        headset.restart()
        assert piece(192, record[192:]) == DeviceErrorCode.RANGE
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.CRC)):
            write(headset, record, crc32=1)
        assert headset.read_calibration() == found


def test_nothing_is_told_or_taken_at_the_wrong_time(host_board):
    def refusals(headset: Client, found: Calibration | None) -> list[str]:
        errors = []
        for do in (headset.read_calibration, lambda: headset.write_calibration(found or NOBODY)):
            with pytest.raises(CommandRefusedError) as refused:
                do()
            errors.append(DeviceErrorCode(refused.value.code).name)
        return errors

    with open_headset(host_board.port) as headset:
        assert refusals(headset, None) == ["NO_MODEL", "NO_MODEL"]
        upload(headset, IMAGE)
        assert refusals(headset, None) == ["STATE", "OTHER_MODEL"]
        found = calibrated(headset, host_board)
        with pytest.raises(CommandRefusedError, match="out of range"):
            headset._talk.command(m.CALIBRATION_READ, {"offset": len(found.to_bytes())})
        headset.tune_begin()
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.STATE)):
            headset.write_calibration(found)
        calibrate(headset, host_board)  # it was not disturbed
        headset.tune_solve()
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.STATE)):
            headset.write_calibration(found)
        headset.tune_discard()
        headset.write_calibration(found)
        begin_trial(headset, OTHER_IMAGE)
        assert refusals(headset, found) == ["STATE", "STATE"]
        headset.restart()
        assert headset.read_calibration() == found
