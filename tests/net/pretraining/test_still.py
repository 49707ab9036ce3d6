"""Fixations found in readings alone, held against where the simulated eye really looked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.errors import RecordingError
from psog.headset import load_headset
from psog.net.pretraining.moments import VIEWS, fixations_of, joined_positives
from psog.net.pretraining.still import LONGEST_MS, resting
from psog.net.sources import Source
from psog.recording import FIXATION
from psog.sim.config import SimulationConfig
from psog.sim.simulate import simulate
from psog.sim.wear import Wear

HEADSET = load_headset("ring16")


@pytest.fixture(scope="module")
def recording():
    """Four people, a slip after ten seconds."""
    return simulate(SimulationConfig(HEADSET, users=4, seed=3, seconds=14, wear=Wear(2.0, slip_mm=2.0)))


@pytest.fixture(scope="module")
def unlabelled(recording):
    """Nothing but readings and who wore the headset."""
    return replace(recording, columns={"user": recording.columns["user"]})


def test_most_fixations_are_found_and_the_gaze_hardly_moves_in_them(recording, unlabelled):
    begins = np.diff(recording.columns["event"] == FIXATION, prepend=False) & (
        recording.columns["event"] == FIXATION
    )
    found = [rows for _, rows in resting(unlabelled)]
    assert len(found) > 0.6 * np.count_nonzero(begins)
    moved_deg = [np.linalg.norm(np.ptp(recording.gaze_deg[rows], axis=0)) for rows in found]
    assert np.median(moved_deg) < 0.5 and np.quantile(moved_deg, 0.95) < 1.2  # the eye drifts by as much
    assert min(recording.columns["openness"][rows].min() for rows in found) > 0.9
    assert max(rows.stop - rows.start for rows in found) <= LONGEST_MS


def test_a_fixation_ends_where_time_is_missing_and_where_the_eye_is_said_to_be_closed(unlabelled):
    (_, longest) = max(resting(unlabelled), key=lambda found: found[1].stop - found[1].start)
    middle = (longest.start + longest.stop) // 2
    late = replace(unlabelled, t_us=unlabelled.t_us + 50_000 * (np.arange(len(unlabelled)) >= middle))
    valid = np.arange(len(unlabelled)) != middle
    for cut in (late, replace(unlabelled, columns={**unlabelled.columns, "valid": valid})):
        assert not any(rows.start < middle < rows.stop - 1 for _, rows in resting(cut))


def test_users_of_all_recordings_are_different_people(unlabelled):
    once = fixations_of([Source(Path("a"), unlabelled)], HEADSET)
    twice = fixations_of([Source(Path("a"), unlabelled), Source(Path("b"), unlabelled)], HEADSET)
    assert once.readings.shape[1:] == (VIEWS, 16)
    assert set(once.wearer) == set(range(4)) and set(twice.wearer) == set(range(8))
    np.testing.assert_array_equal(twice.readings, np.concatenate([once.readings, once.readings]))
    both = joined_positives([once, once])
    np.testing.assert_array_equal(both.wearer, twice.wearer)


def test_what_cannot_be_learnt_from_is_one_line(unlabelled):
    def error(recording):
        with pytest.raises(RecordingError) as raised:
            fixations_of([Source(Path("day1"), recording)], HEADSET)
        return str(raised.value)

    short = unlabelled.take(slice(0, 20_000))
    assert "cannot pretrain on" in error(short) and "at least 100 expected" in error(short)
    other = replace(unlabelled, headset="grid15")
    assert "cannot learn from day1: recording is of headset 'grid15'" in error(other)
    broken = unlabelled.readings.copy()
    broken[7, 3] = np.nan
    assert "day1: sensor 3 is not a number in row 7" in error(replace(unlabelled, readings=broken))
