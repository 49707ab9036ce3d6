"""A whole session with the firmware over a real serial port, on every board that can run here."""

import math
import time

import numpy as np
import pytest

from psog.device import messages as m
from psog.device.client import open_headset
from psog.device.error_codes import DeviceErrorCode
from psog.device.frames import Decoder
from psog.device.identity import model_crc32
from psog.device.lids import Lids
from psog.device.messages import STILL_BINS, Stream
from psog.device.samples import FeatureSample, GazeSample, SensorSample, TrialSample
from psog.device.stillness import Stillness
from psog.errors import DeviceError
from psog.firmware_export.boards import BOARDS
from psog.firmware_export.image import write_image
from psog.firmware_export.installing import image_for_headset
from psog.net.ridge import solve_head
from psog.net.told import kept
from psog.virtual.boards import start_board
from tests.firmware.device import (
    ANYTHING,
    IMAGE,
    NET,
    OTHER_IMAGE,
    OTHER_USER,
    READINGS,
    TARGETS,
    add_target,
    begin_trial,
    calibrate,
    code,
    come_to_rest,
    feed,
    gaze_deg,
    has,
    reading,
    streamed,
    upload,
    wait_for,
)
from tests.random_nets import random_net


def test_a_new_device_says_who_it_is_and_that_it_has_no_model(board):
    with open_headset(board.port) as headset:
        assert headset.info[:8] == (m.PROTOCOL_VERSION, 1, board.name, "", 0, 0, 0, False)
        assert headset.info.paired == ("plain" not in BOARDS[board.name].target.packings)
        assert len(IMAGE) < headset.info.image_room < 1 << 20
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.NO_MODEL)):
            headset.tune_begin()


def test_features_and_gaze_over_the_port_are_the_integer_networks(board):
    with open_headset(board.port) as headset:
        info = upload(headset, IMAGE)
        assert (info.headset, info.sensors, info.features) == ("grid3x5", 15, 10)
        samples = streamed(headset, board, Stream.GAZE | Stream.FEATURES | Stream.SENSORS, 0, 50)
        assert headset.losses.lost == 0
        assert headset.status() == (50, 0, 0, 0, 0)
    features = NET.features(NET.input(READINGS[:50]))
    gaze = samples[GazeSample]
    assert [s.t_us for s in gaze] == [1000 * i for i in range(50)]
    np.testing.assert_array_equal([s.features for s in samples[FeatureSample]], features)
    np.testing.assert_array_equal([s.readings for s in samples[SensorSample]], READINGS[:50])
    outputs = [(s.gaze_h_deg, s.gaze_v_deg, s.openness, math.log(s.expected_error_deg)) for s in gaze]
    np.testing.assert_allclose(outputs, NET.apply_head(features), atol=1e-3)
    assert all(s.valid and not s.calibrated for s in gaze)


def test_a_calibration_is_fitted_tried_accepted_and_survives_a_restart(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board)
        result = headset.tune_solve()
        assert (result.samples, result.targets) == (180, 9)
        samples = np.concatenate([kept(READINGS[20 * k : 20 * k + 20]) for k in range(9)])
        weight = solve_head(
            NET.real_features(NET.features(NET.input(samples))),
            np.repeat(TARGETS, 4, axis=0),
            NET.head.weight,
            NET.head.ridge,
        )
        features = NET.features(NET.input(READINGS[:10]))
        expected = NET.real_features(features) @ weight[:, :-1].T + weight[:, -1]

        samples = streamed(headset, board, Stream.GAZE | Stream.TRIAL, 0, 10)
        np.testing.assert_allclose(gaze_deg(samples[TrialSample]), expected, atol=2e-2)
        population = NET.apply_head(features)
        np.testing.assert_allclose(gaze_deg(samples[GazeSample]), population[:, :2], atol=1e-3)
        smaller = [s.expected_error_deg for s in samples[TrialSample]]
        np.testing.assert_allclose(np.log(smaller), population[:, 3] + NET.head.calibration_ln, atol=1e-3)

        headset.tune_accept()
        for _ in range(2):
            assert headset.hello().calibrated
            samples = streamed(headset, board, Stream.GAZE, 0, 10)
            np.testing.assert_allclose(gaze_deg(samples[GazeSample]), expected, atol=2e-2)
            assert all(s.calibrated for s in samples[GazeSample])
            headset.restart()

        headset.calibration_erase()
        assert not headset.hello().calibrated
        assert not headset.restart().calibrated


def test_flash_outlives_the_process(board, tmp_path):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board)
        headset.tune_solve()
        headset.tune_accept()
    board.stop()
    with start_board(board.name, tmp_path / "flash") as again, open_headset(again.port) as headset:
        assert has(headset, IMAGE)
        assert headset.info.calibrated


def test_an_interrupted_upload_keeps_the_old_model_and_calibration(board, tmp_path):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board)
        headset.tune_solve()
        headset.tune_accept()
        raw = headset._talk
        trailer = model_crc32(OTHER_IMAGE)
        raw.command(m.MODEL_BEGIN, {"image_bytes": len(OTHER_IMAGE), "crc32": trailer})
        for offset in range(0, len(OTHER_IMAGE) // 2, 192):
            raw.command(m.MODEL_DATA, {"offset": offset}, OTHER_IMAGE[offset : offset + 192])
    board.stop()
    with start_board(board.name, tmp_path / "flash") as again, open_headset(again.port) as headset:
        assert has(headset, IMAGE)
        assert headset.info.calibrated


def test_a_damaged_upload_is_refused_and_the_old_model_goes_on(board):
    damaged = bytearray(OTHER_IMAGE)
    damaged[1000] ^= 1
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.SIGNATURE)):
            headset.upload(bytes(damaged))
        sample = streamed(headset, board, Stream.FEATURES, 3, 1)[FeatureSample][0]
        np.testing.assert_array_equal(sample.features, NET.features(NET.input(READINGS[3:4]))[0])


def test_a_new_model_discards_the_calibration(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board)
        headset.tune_solve()
        headset.tune_accept()
        assert not upload(headset, OTHER_IMAGE).calibrated
        assert not upload(headset, IMAGE).calibrated


def test_a_model_on_trial_is_used_but_a_restart_goes_back(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board)
        headset.tune_solve()
        headset.tune_accept()
        begin_trial(headset, OTHER_IMAGE)
        assert has(headset, OTHER_IMAGE)
        assert (headset.info.trial, headset.info.calibrated) == (True, False)
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.STATE)):
            headset.tune_begin()
        headset.restart()
        assert has(headset, IMAGE)
        assert (headset.info.trial, headset.info.calibrated) == (False, True)


def test_an_upload_during_a_trial_ends_it_and_leaves_the_confirmed_model(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        begin_trial(headset, OTHER_IMAGE)
        fitting = image_for_headset(IMAGE, headset.info)
        begin = {"image_bytes": len(fitting), "crc32": model_crc32(fitting)}
        headset._talk.command(m.MODEL_BEGIN, begin)
        headset.hello()
        assert has(headset, IMAGE)
        assert not headset.info.trial
        assert not upload(headset, OTHER_IMAGE).trial
        headset.restart()
        assert has(headset, OTHER_IMAGE)


def test_a_model_for_other_sensors_than_are_there_is_refused(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        headset.stream(Stream.SENSORS)
        board.sensors.write(reading(0, np.arange(16)))
        assert len(next(headset.samples(count=1)).readings) == 16
        assert headset.status().bad_readings == 1
        headset.stream(Stream(0))
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.HEADSET)):
            upload(headset, OTHER_IMAGE)


def test_a_calibration_that_is_stopped_half_way_changes_nothing(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board, [])
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.TOO_FEW)):
            headset.tune_solve()
        headset.tune_discard()
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.STATE)):
            headset.tune_accept()
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.STATE)):
            headset.tune_solve()
        assert not headset.hello().calibrated


def test_a_target_that_is_forgotten_leaves_nothing_in_the_fit(board):
    """It is taken at the wrong place, or given up while it is taken, and taken again."""
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board)
        never_wrong = headset.tune_solve()
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.STATE)):
            headset.tune_forget(*TARGETS[0])
        headset.tune_begin()
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.RANGE)):
            headset.tune_forget(*TARGETS[0])
        for index, target_deg in enumerate(TARGETS):
            add_target(headset, board, target_deg, OTHER_USER + 20 * index, samples=20)
        headset._talk.command(m.TUNE_TARGET, {"target_h_deg": 1.0, "target_v_deg": 1.0, "samples": 20})
        seen = headset.status().readings
        feed(board, ANYTHING, 9)
        wait_for(lambda: headset.status().readings == seen + 9)
        headset.tune_forget(1.0, 1.0)
        for index, target_deg in enumerate(TARGETS):
            headset.tune_forget(*target_deg)
            add_target(headset, board, target_deg, 20 * index, samples=20)
        assert headset.tune_solve() == never_wrong


def test_readings_of_a_closed_eye_are_passed_over(board):
    """The eye opens and closes as readings have it that are of no eye, and rests in between."""
    net, headset_table = random_net(4, "same", pairable=True)
    net.head.weight[2] *= 0.7  # moves about its own level as an eye does, more or less
    net.head.weight[:2, :-1] = 0
    random = READINGS[ANYTHING:OTHER_USER]
    openness = net.apply_head(net.features(net.input(random)))[:, 2]
    net.head.weight[2, -1] += 0.8 - np.median(openness)
    order = np.argsort(-openness)
    wire = np.concatenate(
        [np.repeat(random[order[:1]], 100, axis=0), random[order], random[order[:1]].repeat(200, 0)]
    )
    lids, stillness = Lids(), Stillness()
    counts = {"added": 0, "rejected": 0, "saturated": 0, "moving": 0}
    for t_us, output in enumerate(net.apply_head(net.features(net.input(wire)))):
        is_open = lids.open(1000 * t_us, float(output[2]))
        still = stillness.rests(1000 * t_us, (float(output[0]), float(output[1])), valid=is_open)
        counts["added" if still else "moving" if is_open else "rejected"] += 1
    assert min(counts[name] for name in ("added", "rejected", "moving")) > 40
    with open_headset(board.port) as headset:
        upload(headset, write_image(net, headset_table))
        headset.tune_begin()
        target = {"target_h_deg": 0.0, "target_v_deg": 0.0, "samples": counts["added"]}
        headset._talk.command(m.TUNE_TARGET, target)
        board.sensors.write(b"".join(reading(i, one) for i, one in enumerate(wire)))
        assert headset._talk.next_progress(time.monotonic() + 10) == counts


def test_readings_with_too_much_light_are_passed_over_and_say_so(board):
    """An eighth of 15 sensors is two."""
    bright = READINGS[:4].copy()
    bright[0, 0] = 65535
    bright[1, [0, 7]] = 65535, 65520
    bright[2, [3, 14]] = 0, 63
    bright[3, [3, 14]] = 64, 65471
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        headset.stream(Stream.GAZE)
        headset.tune_begin()
        headset._talk.command(m.TUNE_TARGET, {"target_h_deg": 0.0, "target_v_deg": 0.0, "samples": 1})
        board.sensors.write(b"".join(reading(i, wire) for i, wire in enumerate(bright)))
        samples = list(headset.samples(count=4))
        come_to_rest(headset, board, 200)
        feed(board, 200, 1)
        progress = headset._talk.next_progress(time.monotonic() + 10)
    assert [sample.saturated for sample in samples] == [False, True, True, False]
    assert [sample.valid for sample in samples] == [True, False, False, True]
    assert progress == {"added": 1, "rejected": 0, "saturated": 2, "moving": 2 + STILL_BINS}


def test_every_gaze_says_whether_the_eye_rests(board):
    """As the reference has it of the very numbers that were sent, at any time between readings."""
    steps_us = np.random.default_rng(3).choice(
        [500, 4000, 10_000, 11_000, 60_000], 300, p=[0.3, 0.3, 0.2, 0.19, 0.01]
    )
    wire = READINGS[np.repeat([0, 20, 200, 40, 60], 60)]
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        headset.stream(Stream.GAZE)
        for t_us, one in zip(np.cumsum(steps_us).tolist(), wire, strict=True):
            board.sensors.write(reading(0, one, before_us=-t_us))
        samples = list(headset.samples(count=len(wire)))
    stillness = Stillness()
    expected = [stillness.rests(s.t_us, (s.gaze_h_deg, s.gaze_v_deg), valid=s.valid) for s in samples]
    assert [sample.still for sample in samples] == expected
    assert 60 < sum(expected) < 240


def test_a_calibration_that_is_not_better_is_refused_and_the_one_in_use_stays(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board)
        first = headset.tune_solve()
        assert first.verdict == DeviceErrorCode.OK
        assert first.left_out_deg < first.in_use_deg
        headset.tune_accept()
        kept = streamed(headset, board, Stream.GAZE, 0, 10)

        calibrate(headset, board)  # the same again
        again = headset.tune_solve()
        assert again.in_use_deg == pytest.approx(first.after_deg, rel=1e-3)
        assert again.verdict == DeviceErrorCode.NOT_BETTER
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.NOT_BETTER)):
            headset.tune_accept()

        calibrate(headset, board, [TARGETS[4 * k % 9] for k in range(9)])  # not where the eye looks
        nowhere = headset.tune_solve()
        assert nowhere.unexplained > 0.1
        assert nowhere.verdict == DeviceErrorCode.NOT_BETTER
        headset.tune_discard()
        assert gaze_deg(streamed(headset, board, Stream.GAZE, 0, 10)[GazeSample]) == gaze_deg(
            kept[GazeSample]
        )


def test_the_display_shows_targets_where_the_sensors_are(board):
    with open_headset(board.port) as headset:
        headset.show_target(3.0, -4.0)
        headset.hide_target()
    decoder, frames = Decoder(), []
    while len(frames) < 2:
        frames += decoder.feed(board.sensors.read())
    shown = [m.DISPLAY.unpack(frame.payload)[0] for frame in frames]
    assert shown[0] == {"target_h_deg": 3.0, "target_v_deg": -4.0, "visible": 1}
    assert shown[1]["visible"] == 0
