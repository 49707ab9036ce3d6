"""Users who wear a headset: live readings, recordings, replayed traces."""

from dataclasses import replace

import numpy as np
import pytest

from psog.errors import RecordingError, SimulationError
from psog.headset import load_headset
from psog.recording import BLINK, read_recording, write_recording
from psog.sim.config import SimulationConfig
from psog.sim.live import LiveEye
from psog.sim.population import draw_users
from psog.sim.replay import eye_samples, trace_file
from psog.sim.simulate import simulate
from psog.sim.wear import Wear
from psog.third_party import GazeTrace, read_eyelink_trace
from tests.data_paths import gaze_trace, needs_shared_data

RING = load_headset("ring16")


def made_up_trace(n=2000, rate_hz=500.0):
    """A slow sweep with a gap, a labelled blink and a tracker's mistake."""
    t_us = np.rint(np.arange(n) * 1e6 / rate_hz).astype(np.int64)
    gaze = np.stack([np.linspace(-10, 10, n), np.zeros(n)], axis=1).astype(np.float32)
    valid, event = np.ones(n, dtype=bool), np.ones(n, dtype=np.uint8)
    valid[500:600] = False
    gaze[500:600] = np.nan
    event[1000:1090] = BLINK
    gaze[1500] = (70.0, 0.0)
    return GazeTrace("made up", t_us, gaze, valid, event)


def save_trace(trace, folder):
    """The trace as a file of the `irf` repository."""
    fields = [("t", "f8"), ("x", "f4"), ("y", "f4"), ("status", "?"), ("evt", "u1")]
    array = np.zeros(len(trace.t_us), fields)
    array["t"], array["x"], array["y"] = trace.t_us * 1e-6, *trace.gaze_deg.T
    array["status"], array["evt"] = trace.valid, trace.event
    np.save(folder / f"{trace.name}.npy", array)
    return folder / f"{trace.name}.npy"


def test_readings_do_not_depend_on_how_they_are_asked_for():
    users = draw_users(2, 0)
    gaze, openness = np.random.default_rng(0).uniform(-15, 15, (40, 2)), np.ones(40)
    whole = LiveEye(RING, users, 1, 3).read(gaze, openness)
    eye = LiveEye(RING, users, 1, 3)
    parts = [eye.read(gaze[k : k + 8], openness[k : k + 8]) for k in range(0, 40, 8)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1)
    assert (np.concatenate(parts) == whole).mean() > 0.99


def test_readings_are_counts_that_vary_with_gaze_more_than_with_noise():
    eye = LiveEye(RING, draw_users(1, 0), 0, 0)
    still = eye.read(np.zeros((50, 2)), np.ones(50))
    moving = eye.read(np.stack([np.linspace(-15, 15, 50), np.zeros(50)], axis=1), np.ones(50))
    assert (still == np.rint(still)).all()
    assert 0.5 < np.median(still.std(axis=0)) < 10
    assert moving.std(axis=0).max() > 20 * np.median(still.std(axis=0))


def test_wearing_and_slipping_move_the_fit():
    eye = LiveEye(RING, draw_users(1, 0), 0, 0)
    eye.wear((1.0, -0.5, 0.2), 2.0)
    np.testing.assert_array_equal(eye.fit, [1.0, -0.5, 0.2, 2.0])
    eye.slip(1.0)
    assert np.linalg.norm(eye.fit[:3] - [1.0, -0.5, 0.2]) == pytest.approx(1.0)
    eye.don(2.0)
    assert (np.abs(eye.fit[:3]) <= [2, 2, 1]).all()


def test_a_failed_slip_leaves_the_headset_where_it_was():
    eye = LiveEye(RING, draw_users(1, 0), 0, 0)
    with pytest.raises(SimulationError, match="sensor"):
        eye.wear((0.0, -10.0, -22.0))
    np.testing.assert_array_equal(eye.fit, np.zeros(4))


@pytest.mark.parametrize("index", [-1, 2])
def test_a_user_that_does_not_exist_is_refused(index):
    with pytest.raises(SimulationError, match="no user"):
        LiveEye(RING, draw_users(2, 0), index, 0)


def test_a_recording_says_what_happened(tmp_path):
    made = simulate(SimulationConfig(RING, users=2, seconds=21.0, seed=4, wear=Wear(slip_mm=1.0)))
    assert len(made) == 2 * 21_000
    assert (np.diff(made.t_us) > 0).all()
    assert made.provenance["seed"] == 4
    assert made.provenance["headset"]["name"] == "ring16"
    for user in (0, 1):
        rows = made.columns["user"] == user
        fits = np.unique(made.columns["shift_x_mm"][rows])
        assert len(fits) == 3
    assert not made.columns["valid"][made.columns["openness"] < 0.4].any()
    write_recording(made, tmp_path / "made")
    back = read_recording(tmp_path / "made")
    np.testing.assert_array_equal(back.readings, made.readings)
    assert back.provenance == made.provenance


def test_user_of_a_recording_depends_on_seed_and_number():
    one, two = (simulate(SimulationConfig(RING, users=n, seconds=0.5, seed=1)) for n in (1, 2))
    np.testing.assert_array_equal(one.readings, two.readings[:500])
    assert not np.array_equal(two.readings[:500], two.readings[500:])


def test_a_replayed_trace_keeps_its_times_and_gaze(tmp_path):
    trace = made_up_trace()
    made = simulate(SimulationConfig(RING, users=2, seed=0, trace=trace_file(save_trace(trace, tmp_path))))
    np.testing.assert_array_equal(made.t_us[:2000], trace.t_us)
    assert (np.diff(made.t_us) > 0).all()
    np.testing.assert_array_equal(made.gaze_deg[:500], trace.gaze_deg[:500])
    assert np.isfinite(made.gaze_deg).all()


def test_a_trace_that_changed_is_not_replayed(tmp_path):
    path = save_trace(made_up_trace(), tmp_path)
    config = SimulationConfig(RING, users=1, seed=0, trace=trace_file(path))
    save_trace(made_up_trace(1600), tmp_path)
    with pytest.raises(RecordingError, match="has changed"):
        simulate(config)


def test_gaps_and_blinks_of_a_trace_close_the_lid():
    samples = eye_samples(made_up_trace())
    assert (samples.openness[500:600] == 0).all()
    assert (samples.openness[1000:1090] == 0).all()
    assert (np.diff(samples.openness[440:500]) <= 0).all()
    assert 0 < samples.openness[480] < 1
    assert (samples.openness[700:900] == 1).all()
    assert (samples.event[500:600] == BLINK).all()
    assert np.abs(samples.gaze_deg[1500, 0]) < 10


@needs_shared_data
def test_a_real_trace_replays():
    trace = read_eyelink_trace(gaze_trace(1))
    made = simulate(SimulationConfig(RING, users=1, seed=0, trace=trace_file(gaze_trace(1))))
    np.testing.assert_array_equal(made.t_us, trace.t_us)
    assert made.columns["valid"].mean() == pytest.approx(trace.valid.mean(), abs=0.06)
    assert not made.columns["valid"][~trace.valid].any()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: SimulationConfig(RING, users=0, seed=0), "cannot simulate 0 users"),
        (lambda: SimulationConfig(RING, users=1, seconds=-1, seed=0), "-1 seconds"),
        (lambda: SimulationConfig(RING, users=1, seconds=float("nan"), seed=0), "nan seconds"),
        (lambda: Wear(slip_mm=-1.0), "slip_mm is -1"),
        (lambda: eye_samples(replace(made_up_trace(), valid=np.zeros(2000, dtype=bool))), "no sample"),
        (lambda: eye_samples(replace(made_up_trace(), t_us=np.zeros(2000, dtype=np.int64))), "must increase"),
    ],
)
def test_impossible_recordings_are_refused(wrong, words):
    with pytest.raises(SimulationError, match=words):
        wrong()
