"""Calibrating a network that is told whose eye it sees, over a real serial port, on every board."""

from dataclasses import replace

import numpy as np
import pytest

from psog.device.client import open_headset
from psog.device.error_codes import DeviceErrorCode
from psog.device.messages import Stream
from psog.device.samples import FeatureSample, GazeSample, TrialSample
from psog.errors import DeviceError
from psog.firmware_export.image import write_image
from psog.net.embedding import personal
from psog.net.left_out import leave_targets_out
from psog.net.ridge import solve_head
from psog.net.told import kept
from tests.firmware.device import (
    NET,
    READINGS,
    TARGETS,
    add_target,
    calibrate,
    code,
    gaze_deg,
    streamed,
    upload,
)
from tests.random_nets import grid_headset, with_embedding

TOLD = with_embedding(NET, 1, 6)
IMAGE = write_image(TOLD, grid_headset(3, 5))
SAMPLES = np.concatenate([kept(READINGS[20 * k : 20 * k + 20]) for k in range(len(TARGETS))])
AT = np.repeat(TARGETS, 4, axis=0)
OWN = personal(TOLD, SAMPLES, AT)


def own_gaze(wire):
    """(n, 2) by the network and the head of the calibration of device.calibrate."""
    real = OWN.real_features(OWN.features(OWN.input(SAMPLES)))
    weight = solve_head(real, AT, TOLD.head.weight, TOLD.head.ridge)
    own = replace(OWN, head=replace(OWN.head, weight=weight.astype(np.float32)))
    return own(wire)


def test_a_told_network_is_tried_accepted_and_survives_a_restart(board):
    seen = READINGS[:10]
    features = OWN.features(OWN.input(seen))
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        calibrate(headset, board)
        first = headset.tune_solve()
        assert (first.samples, first.targets) == (180, 9)
        real = OWN.real_features(OWN.features(OWN.input(SAMPLES)))
        left_out = leave_targets_out(real, AT, np.repeat(np.arange(9), 4), TOLD.head.weight, TOLD.head.ridge)
        assert first.left_out_deg == pytest.approx(left_out.rms_deg, rel=5e-3)
        assert first.left_out_worst_deg == pytest.approx(left_out.worst_deg, rel=5e-3)

        samples = streamed(headset, board, Stream.GAZE | Stream.FEATURES | Stream.TRIAL, 0, 10)
        np.testing.assert_allclose(gaze_deg(samples[TrialSample]), own_gaze(seen), atol=2e-2)
        np.testing.assert_allclose(gaze_deg(samples[GazeSample]), TOLD(seen)[:, :2], atol=1e-3)
        strangers = TOLD.features(TOLD.input(seen))
        np.testing.assert_array_equal([s.features for s in samples[FeatureSample]], strangers)
        assert (strangers != features).mean() > 0.3

        headset.tune_accept()
        for _ in range(2):
            assert headset.hello().calibrated
            samples = streamed(headset, board, Stream.GAZE | Stream.FEATURES, 0, 10)
            np.testing.assert_array_equal([s.features for s in samples[FeatureSample]], features)
            np.testing.assert_allclose(gaze_deg(samples[GazeSample]), own_gaze(seen), atol=2e-2)
            headset.restart()

        calibrate(headset, board)
        again = headset.tune_solve()
        assert again[:6] == first[:6]  # by the stranger's network, whoever used it before
        assert again.in_use_deg == pytest.approx(first.after_deg, rel=1e-3)
        headset.tune_discard()
        headset.calibration_erase()
        sample = streamed(headset, board, Stream.FEATURES, 0, 1)[FeatureSample][0]
        np.testing.assert_array_equal(sample.features, strangers[0])


def test_more_targets_than_can_be_kept_are_refused_and_those_before_count(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        headset.tune_begin()
        of_a_target = 20 + 4 * max(15 * TOLD.normalisation.planes, TOLD.feature_count)
        room = 9 * (20 + 4 * 2 * 64) // of_a_target
        for target in range(room):
            add_target(headset, board, TARGETS[target % 9], 20 * (target % 9), samples=4)
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.STATE)):
            headset.tune_target(0.0, 0.0, 4)
        assert headset.tune_solve()[:2] == (4 * room, room)
