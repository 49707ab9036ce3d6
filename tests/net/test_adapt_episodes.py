"""Episodes from recordings: who and what is taken, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.errors import ModelError, RecordingError
from psog.headset import load_headset
from psog.net.adapt_episodes import MOST_POSES, SAMPLES, UsableRows, episodes_of, pose_numbers, wearers_of
from psog.net.objectives import OPEN_ENOUGH
from psog.net.sources import Source
from psog.net.store import load_model
from psog.recording import BLINK, FIXATION
from psog.sim.config import SimulationConfig
from psog.sim.simulate import simulate
from psog.sim.wear import Wear

HEADSET = load_headset("ring16")


@pytest.fixture(scope="module")
def net(tiny_model):
    return load_model(tiny_model).net


@pytest.fixture(scope="module")
def worn():
    """Two users who look around for 22 s, while the headset slips at 10 and at 20 s."""
    return simulate(SimulationConfig(HEADSET, users=2, seconds=22, seed=4, wear=Wear(2.0, slip_mm=2.0)))


def without(recording, *names):
    return replace(recording, columns={k: v for k, v in recording.columns.items() if k not in names})


def with_column(recording, name, values):
    return replace(recording, columns={**recording.columns, name: values})


def sources(*recordings):
    return [Source(Path(f"recording{k}"), recording) for k, recording in enumerate(recordings)]


def test_a_pose_begins_with_every_jolt_and_every_wearer(worn):
    begins = np.flatnonzero(np.diff(pose_numbers(worn), prepend=-1))
    assert begins.tolist() == [0, 10_000, 20_000, 22_000, 32_000, 42_000]


def test_where_shifts_are_not_told_a_wearer_has_one_pose(net, worn):
    blind = without(worn, "shift_x_mm", "shift_y_mm", "shift_z_mm", "roll_deg")
    assert [len(poses) for poses in wearers_of(net, HEADSET, sources(blind))] == [1, 1]
    assert episodes_of(wearers_of(net, HEADSET, sources(blind)), HEADSET, 0).readings.shape[:2] == (2, 1)


def test_users_of_different_recordings_are_different_people(net, worn):
    assert len(wearers_of(net, HEADSET, sources(worn, worn))) == 4


def test_every_pose_is_the_calibration_once_and_whoever_has_fewer_repeats_them(net, worn):
    first, second = wearers_of(net, HEADSET, sources(worn))
    episodes = episodes_of([first, second[:2]], HEADSET, 0)
    assert episodes.readings.shape == (6, 3, SAMPLES, 16)
    begins = [tuple(episode[:, 0, 0]) for episode in episodes.readings]
    a, b, c = (pose.readings[0, 0] for pose in first)
    d, e = (pose.readings[0, 0] for pose in second[:2])
    assert begins == [(a, b, c), (b, c, a), (c, a, b), (d, e, d), (e, d, e), (d, e, d)]


def test_of_many_poses_some_are_taken_from_first_to_last(net, worn):
    (pose, *_), _ = wearers_of(net, HEADSET, sources(worn))
    many = [replace(pose, readings=np.full_like(pose.readings, k)) for k in range(30)]
    taken = episodes_of([many], HEADSET, 0).readings[0, :, 0, 0]
    assert len(taken) == MOST_POSES and taken[0] == 0 and taken[-1] == 29


def test_only_fixations_and_closed_eyes_are_taken(net, worn):
    rows = UsableRows(net, HEADSET, worn)
    poses = list(rows.poses(np.ones(len(worn), bool)))
    openness = np.concatenate([pose.openness for pose in poses])
    event, valid = worn.columns["event"], worn.columns["valid"]
    assert np.count_nonzero(openness >= OPEN_ENOUGH) == np.count_nonzero((event == FIXATION) & valid)
    assert np.count_nonzero(openness < OPEN_ENOUGH) == np.count_nonzero(
        worn.columns["openness"] < OPEN_ENOUGH
    )


def test_where_openness_is_not_recorded_the_network_tells_blinks_among_rows_without_gaze(net, worn):
    blind = without(worn, "openness")
    poses = list(UsableRows(net, HEADSET, blind).poses(np.ones(len(worn), bool)))
    closed = sum(np.count_nonzero(pose.openness < OPEN_ENOUGH) for pose in poses)
    really = np.count_nonzero(worn.columns["openness"] < OPEN_ENOUGH)
    assert 0.7 * really < closed <= really
    seen = np.arange(len(worn)) % 2 == 0  # the gaze of open eyes is lost too
    poses = list(UsableRows(net, HEADSET, with_column(blind, "valid", seen)).poses(np.ones(len(worn), bool)))
    assert sum(np.count_nonzero(pose.openness < OPEN_ENOUGH) for pose in poses) < 0.1 * np.count_nonzero(
        ~seen
    )


def test_a_wearer_who_never_fixates_is_left_out(net, worn):
    event = np.where(worn.columns["user"] == 1, BLINK, worn.columns["event"])
    assert len(wearers_of(net, HEADSET, sources(with_column(worn, "event", event)))) == 1


def broken(worn, value):
    readings = worn.readings.copy()
    readings[:1000, 3] = value
    return replace(worn, readings=readings)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda worn: without(worn, "gaze_h_deg"), "recording0: this recording has no gaze"),
        (lambda worn: broken(worn, np.nan), "recording0: sensor 3 is not a number"),
        (lambda worn: broken(worn, 4095), "recording0: sensor 3 is saturated in 2 %"),
        (lambda worn: replace(worn, headset="grid15"), "recording0: recording is of headset 'grid15'"),
        (lambda worn: worn.take(slice(0, 0)), "recording0: it has no rows"),
    ],
)
def test_a_recording_that_cannot_be_used_is_named(net, worn, spoil, told):
    with pytest.raises(RecordingError, match=f"cannot adapt to {told}"):
        wearers_of(net, HEADSET, sources(spoil(worn)))


def test_a_model_of_another_headset_is_refused(net, worn):
    with pytest.raises(ModelError, match="the model is for headset 'grid15'"):
        wearers_of(replace(net, headset="grid15"), HEADSET, sources(worn))
