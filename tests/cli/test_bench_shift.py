"""`psog bench shift`, the short form: one wearer of seed 5000; and the watch that it is about."""

import json
from pathlib import Path

import numpy as np
import pytest

from psog.benchmarks.shift import tables
from psog.cli.main import main
from psog.device.messages import GazeFlag
from psog.live.batch import Batch
from psog.live.shift import EVERY_US, ShiftWatch
from psog.net.shift_file import load_shift_map
from psog.net.shipped import model_place
from psog.net.store import load_model


def test_a_wearer_is_told_of_two_millimetres_and_not_of_none(capsys):
    main(["bench", "shift", "--short", "--json"])
    document = json.loads(capsys.readouterr().out)
    found = document["headsets"]["ring16"]
    for since in ("calibration", "view"):
        still, moved = (found["estimates"][since][size] for size in ("0", "2"))
        assert still["moved"]["30"] == 0
        assert moved["moved"]["30"] == 1
        assert moved["error_mm"]["30"] < 1 < moved["error_mm"]["2"]
        assert found["false_alarms"][since] == 0
    assert all(table.rows for table in tables(document))


@pytest.fixture
def watch():
    folder = model_place(Path("ring16"))
    net = load_model(folder).net
    return ShiftWatch(net, load_shift_map(folder, net))


def batch(seconds: float, flags: GazeFlag, first_us: int = 0) -> Batch:
    """Of an eye that looks around, at 1 kHz."""
    count = round(1000 * seconds)
    random = np.random.default_rng(1)
    t_us = first_us + 1000 * np.arange(count)
    gaze_deg = random.uniform(-10, 10, (count, 2)).astype(np.float32)
    readings = (20_000 + 300 * gaze_deg[:, :1] + np.zeros(16)).astype(np.uint16)
    one = np.ones(count, np.float32)
    return Batch(
        t_us, np.zeros(count, np.uint16), gaze_deg, one, one, np.full(count, flags, np.uint8),
        np.full(count, np.nan), readings,
    )  # fmt: skip


OPEN = GazeFlag.VALID | GazeFlag.CALIBRATED


def looked(watch: ShiftWatch, seconds: float, flags: GazeFlag, first_us: int = 0) -> None:
    for k in range(round(10 * seconds)):
        watch.add(batch(0.1, flags, first_us + 100_000 * k))


def test_a_view_without_a_profile_compares_with_its_own_beginning(watch):
    looked(watch, 19, OPEN)
    assert (watch.since, watch.shift) == ("view", None)  # it is still looking
    looked(watch, 10, OPEN, 19_000_000)
    assert watch.shift is not None
    assert watch.shift.size_mm < 0.5


@pytest.mark.parametrize("flags", [GazeFlag.CALIBRATED, GazeFlag.VALID])
def test_a_closed_eye_and_a_stranger_say_nothing(watch, flags):
    looked(watch, 40, flags)
    assert watch.shift is None


def test_a_headset_that_was_off_is_looked_at_anew(watch):
    looked(watch, 30, OPEN)
    assert watch.shift is not None
    watch.add(batch(0.1, OPEN))  # its time begins again
    assert watch.shift is None
    looked(watch, 5, OPEN, EVERY_US)
    assert watch.shift is not None
