"""What the firmware streams of a recording is what the integer model says, here and on an emulated core."""

from __future__ import annotations

import numpy as np
import pytest

from psog.firmware_export.image import write_image
from psog.firmware_export.toolchain import available_boards
from psog.headset import load_headset
from psog.recording import Recording
from psog.virtual.replay import replay
from tests.firmware.conftest import SESSION_BOARDS
from tests.random_nets import random_net

HEADSET = load_headset("grid15")
ROWS = 1500


@pytest.mark.parametrize("board", SESSION_BOARDS)
def test_streamed_features_and_gaze_are_the_integer_models(board):
    if board not in available_boards():
        pytest.skip(f"no compiler or emulator for {board}")
    net, _ = random_net(11, "same", HEADSET, pairable=True)
    wire = np.random.default_rng(2).normal(net.normalisation.offset, 4000, (ROWS, HEADSET.sensor_count))
    counts = np.clip(wire / HEADSET.wire_scale, 0, HEADSET.adc.full_scale - 1).astype(np.float32)
    recording = Recording("grid15", 5_000_000 + 1000 * np.arange(ROWS, dtype=np.int64), counts)

    replayed = replay(recording, HEADSET, write_image(net, HEADSET), board)

    features = net.features(net.input(HEADSET.to_wire(recording.readings)))
    np.testing.assert_array_equal(replayed.rows, np.arange(ROWS))
    np.testing.assert_array_equal(replayed.features, features)
    np.testing.assert_allclose(replayed.output, net.apply_head(features), atol=1e-3)
    assert (replayed.losses.lost, replayed.losses.damaged) == (0, 0)
    assert replayed.status.bad_readings == 0
    assert len(np.unique(features, axis=0)) > ROWS / 2
