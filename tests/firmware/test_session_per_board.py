"""One short session on every board that the long ones leave out: link, sensors, flash, restart, kernels."""

import numpy as np
import pytest

from psog.device.client import open_headset
from psog.device.messages import STILL_BINS, Stream
from psog.device.samples import FeatureSample, GazeSample
from psog.firmware_export.boards import BOARDS
from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import start_board
from tests.firmware.conftest import SESSION_BOARDS
from tests.firmware.device import IMAGE, NET, READINGS, TARGETS, calibrate, feed, gaze_deg, streamed, upload

BURST = 400
"""Readings in one piece: more than the ring in memory holds, so both ends go round it."""


@pytest.mark.parametrize("name", [name for name in BOARDS if name not in SESSION_BOARDS])
def test_a_session(name, tmp_path):
    if name not in available_boards():
        pytest.skip(f"no compiler or emulator for {name} is installed")
    flash = tmp_path / "flash"
    with start_board(name, flash) as board, open_headset(board.port) as headset:
        assert headset.info.board == name
        upload(headset, IMAGE)
        samples = streamed(headset, board, Stream.GAZE | Stream.FEATURES, 0, 20)
        features = NET.features(NET.input(READINGS[:20]))
        np.testing.assert_array_equal([s.features for s in samples[FeatureSample]], features)
        population = NET.apply_head(features)[:, :2]
        np.testing.assert_allclose(gaze_deg(samples[GazeSample]), population, atol=1e-3)

        headset.stream(Stream(0))
        feed(board, 20, BURST)
        while headset.status().readings < 20 + BURST:
            pass
        calibrate(headset, board)
        assert headset.tune_solve().targets == len(TARGETS)
        taken = 20 + BURST + (20 + STILL_BINS) * len(TARGETS)
        assert headset.status() == (taken, 0, 0, 0, 0)
        headset.tune_accept()
        calibrated = gaze_deg(streamed(headset, board, Stream.GAZE, 0, 5)[GazeSample])
        assert not np.allclose(calibrated, population[:5], atol=0.1)
        assert headset.restart().calibrated
        assert gaze_deg(streamed(headset, board, Stream.GAZE, 0, 5)[GazeSample]) == calibrated
    with start_board(name, flash) as again, open_headset(again.port) as headset:
        assert headset.info.calibrated
