"""A headset that is standardised sees its sensors as the training did, to the bit; and forgets it whole."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest

from psog.device.calibration_record import Calibration
from psog.device.client import Client, open_headset
from psog.device.conversation import CommandRefusedError
from psog.device.error_codes import DeviceErrorCode
from psog.device.identity import SIGNATURE_BYTES
from psog.device.messages import Stream
from psog.device.samples import FeatureSample, GazeSample
from psog.device.standardising import standardised, wear_means
from psog.firmware_export.image import write_image
from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import Board, start_board
from tests.firmware.c_api import library
from tests.firmware.device import (
    ANYTHING,
    IMAGE,
    NET,
    OTHER_IMAGE,
    READINGS,
    begin_trial,
    calibrate,
    feed,
    gaze_deg,
    reading,
    streamed,
    upload,
    wait_for,
)
from tests.random_nets import grid_headset, random_net, random_readings, with_embedding

SAMPLES = 150
WEAR = READINGS[ANYTHING : ANYTHING + SAMPLES]
TRAINED = np.rint(WEAR.mean(axis=0) * np.random.default_rng(3).uniform(0.6, 1.6, WEAR.shape[1])).astype(int)
TRAINED[4] = 0
SEEN = standardised(NET.normalisation, wear_means(WEAR), TRAINED)
STANDARD = replace(NET, normalisation=SEEN)


@pytest.mark.parametrize("seed", range(6))
def test_c_and_python_find_the_same_bits(seed):
    rng = np.random.default_rng(seed)
    net, headset = random_net(seed, "mixed")
    sensors = headset.sensor_count
    wire = random_readings(rng, net.normalisation, 300)
    wire[:, 0] = rng.integers(0, 65_536)  # it never changes
    wire[:, 1] = rng.integers(0, 2, 300)  # nearly dark
    wire[:, 2] = 65_535 - rng.integers(0, 2, 300)
    trained = rng.integers(0, 65_536, sensors).astype(np.uint16)
    trained[3:6] = 0, 1, 65_535
    image = write_image(net, headset)[:-SIGNATURE_BYTES]
    means, found = np.zeros(sensors, np.uint16), np.zeros((sensors, 2), np.int32)
    shift = ctypes.c_uint8()
    wire, buffers = np.ascontiguousarray(wire), (means, found)
    error = library().psog_host_standardise(
        image,
        ctypes.c_size_t(len(image)),
        wire.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_uint16(len(wire)),
        trained.ctypes.data_as(ctypes.c_void_p),
        *(buffer.ctypes.data_as(ctypes.c_void_p) for buffer in buffers),
        ctypes.byref(shift),
    )
    assert error == 0
    np.testing.assert_array_equal(means, wear_means(wire))
    expected = standardised(net.normalisation, wear_means(wire), trained.astype(np.int64))
    np.testing.assert_array_equal(found, np.stack([expected.offset, expected.multiplier], axis=1))
    assert shift.value == expected.shift


def measure(headset: Client, board: Board, samples: int = SAMPLES) -> None:
    headset.standardise_begin(samples)
    feed(board, ANYTHING, samples)
    wait_for(lambda: headset.standardise_means().added == samples)


def features(headset: Client, board: Board) -> np.ndarray:
    return np.array([s.features for s in streamed(headset, board, Stream.FEATURES, 0, 10)[FeatureSample]])


def by(net) -> np.ndarray:
    return net.features(net.input(READINGS[:10]))


def refusal(do, *arguments) -> str:
    with pytest.raises(CommandRefusedError) as refused:
        do(*arguments)
    return DeviceErrorCode(refused.value.code).name


def test_a_headset_is_standardised_calibrated_and_started_again_and_forgets_both(board, tmp_path):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        untouched = (tmp_path / "flash").read_bytes()
        calibrate(headset, board)
        headset.tune_solve()
        headset.tune_accept()
        measure(headset, board)
        assert headset.standardise_means() == (SAMPLES, SAMPLES, 0, tuple(wear_means(WEAR)))
        assert headset.hello().calibrated
        info = headset.standardise_apply(TRAINED.tolist())
        assert (info.calibrated, info.standardised) == (False, True)  # it was made of other features
        np.testing.assert_array_equal(features(headset, board), by(STANDARD))
        assert not np.array_equal(by(STANDARD), by(NET))
        assert refusal(headset.read_calibration) == "STATE"

        info = headset.restart()
        assert (info.calibrated, info.standardised) == (False, True)
        calibrate(headset, board)
        headset.tune_solve()
        headset.tune_accept()
        own = gaze_deg(streamed(headset, board, Stream.GAZE, 0, 10)[GazeSample])
        info = headset.restart()
        assert (info.calibrated, info.standardised) == (True, True)
        np.testing.assert_array_equal(features(headset, board), by(STANDARD))
        assert gaze_deg(streamed(headset, board, Stream.GAZE, 0, 10)[GazeSample]) == own

        headset.calibration_erase()
        info = headset.hello()
        assert (info.calibrated, info.standardised) == (False, False)
        np.testing.assert_array_equal(features(headset, board), by(NET))
    assert (tmp_path / "flash").read_bytes() == untouched


@pytest.fixture
def host_board(tmp_path):
    if "host" not in available_boards():
        pytest.skip("no C compiler is installed")
    with start_board("host", tmp_path / "flash") as running:
        yield running


def test_a_calibration_takes_the_standardisation_that_it_was_made_with_along(host_board):
    told = with_embedding(NET, 1, 6)
    with open_headset(host_board.port) as headset:
        upload(headset, write_image(told, grid_headset(3, 5)))
        calibrate(headset, host_board)
        headset.tune_solve()
        headset.tune_accept()
        without = headset.read_calibration()
        assert (without.normalisation.shape, without.shift) == ((0, 2), 0)
        measure(headset, host_board)
        headset.standardise_apply(TRAINED.tolist())
        calibrate(headset, host_board)
        headset.tune_solve()
        headset.tune_accept()
        found = headset.read_calibration()
        np.testing.assert_array_equal(found.normalisation, np.stack([SEEN.offset, SEEN.multiplier], axis=1))
        seen, own = found.seen_by(NET.normalisation), without.seen_by(NET.normalisation)
        np.testing.assert_array_equal(seen(READINGS), SEEN(READINGS))
        assert own is NET.normalisation
        assert Calibration.from_bytes(found.to_bytes()) == found
        own = features(headset, host_board)
        info = headset.write_calibration(without)
        assert (info.calibrated, info.standardised) == (True, False)
        info = headset.write_calibration(found)
        assert (info.calibrated, info.standardised) == (True, True)
        np.testing.assert_array_equal(features(headset, host_board), own)
        for wrong, why in (
            (replace(found, normalisation=found.normalisation[:14]), "OTHER_MODEL"),
            (replace(found, shift=3), "OTHER_MODEL"),  # two input planes need 4
        ):
            assert refusal(headset.write_calibration, wrong) == why
            assert headset.read_calibration() == found


def test_nothing_is_applied_before_all_is_measured_nor_while_something_else_goes_on(host_board):
    trained = TRAINED.tolist()
    with open_headset(host_board.port) as headset:
        assert refusal(headset.standardise_begin, 10) == "NO_MODEL"
        upload(headset, IMAGE)
        assert refusal(headset.standardise_begin, 0) == "RANGE"
        assert refusal(headset.standardise_means) == "STATE"
        headset.standardise_begin(SAMPLES)
        assert headset.standardise_means() == (SAMPLES, 0, 0, (0,) * 15)
        assert refusal(headset.standardise_apply, trained) == "STATE"
        measure(headset, host_board)
        assert refusal(headset.standardise_apply, trained[:14]) == "RANGE"
        record = Calibration(headset.info.model_crc32, np.zeros((2, 11), np.float32), np.zeros(0, np.int32))
        assert refusal(headset.write_calibration, record) == "STATE"
        assert refusal(headset.tune_target, 0.0, 0.0, 5) == "STATE"
        headset.tune_discard()
        assert refusal(headset.standardise_apply, trained) == "STATE"
        measure(headset, host_board)
        headset.tune_begin()
        assert refusal(headset.standardise_means) == "STATE"
        begin_trial(headset, OTHER_IMAGE)
        assert refusal(headset.standardise_begin, 10) == "STATE"


def test_readings_with_too_much_light_are_passed_over_and_counted(host_board):
    with open_headset(host_board.port) as headset:
        upload(headset, IMAGE)
        headset.standardise_begin(SAMPLES)
        dazzled = WEAR[0].copy()
        dazzled[:2] = 65_535
        host_board.sensors.write(b"".join(reading(i, dazzled) for i in range(7)))
        wait_for(lambda: headset.standardise_means().saturated == 7)
        assert headset.standardise_means().added == 0
