"""Whose eyes a recording is of: a choice that every shard depends on and that the recording tells."""

import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from psog.cli.main import main
from psog.errors import RecordingError, SimulationError
from psog.recording import read_recording
from psog.sim.config import config_from_json
from psog.sim.people import BOTH_EYES, EYES, PEOPLE, people_with
from psog.sim.pool import LocalPool
from psog.sim.population import draw_users
from psog.sim.production import Progress, produce
from psog.sim.simulate import simulate
from psog.sim.streams import derived_seed
from tests.sim.pair import pair_config, pair_file

SEED, USERS = 7, 6


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """(users, samples, sensors) by eyes: the same people at the same task."""
    config = pair_config(tmp_path_factory.mktemp("eyes"), users=USERS, seconds=0.05, seed=SEED)
    return {eyes: simulate(replace(config, eyes=eyes)).readings.reshape(USERS, 50, 2) for eyes in EYES}


def test_both_means_some_users_of_each(readings):
    """As docs/people.md says how to learn which."""
    side = draw_users(USERS, derived_seed(SEED, "recording"), population=BOTH_EYES).side
    assert set(side) == {-1, 1}
    for user, eyes in enumerate(np.where(side < 0, "left", "right")):
        np.testing.assert_array_equal(readings["both"][user], readings[str(eyes)][user])


def test_a_left_eye_reads_otherwise_than_the_right_one_of_the_same_person(readings):
    assert (np.abs(readings["left"] - readings["right"]).mean(axis=(1, 2)) > 10).all()


def test_eyes_are_right_unless_told_otherwise(tmp_path):
    config = pair_config(tmp_path)
    assert (config.eyes, config.population) == ("right", PEOPLE)
    assert people_with("left").left_share == 1


def test_eyes_travel_with_the_config_and_stand_in_the_provenance(tmp_path):
    config = replace(pair_config(tmp_path), eyes="both")
    assert config_from_json(json.loads(json.dumps(config.to_json()))) == config
    assert config.provenance()["eyes"] == "both"


def test_an_unfinished_recording_of_other_eyes_does_not_go_on(tmp_path):
    config, out = pair_config(tmp_path, users=2), tmp_path / "made"

    def stop(progress: Progress) -> None:
        if progress.shards == 1:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        produce(config, out, LocalPool(1), progress=stop)
    with pytest.raises(RecordingError, match="begun with another eyes;"):
        produce(replace(config, eyes="both"), out, LocalPool(1))


def test_the_command_records_the_eyes_it_was_asked_for(tmp_path):
    out = tmp_path / "made"
    words = [str(pair_file(tmp_path)), "--users", "3", "--seconds", "0.05", "--seed", str(SEED)]
    main(["simulate", *words, "--eyes", "left", "--workers", "1", "--out", str(out)])
    made = read_recording(out)
    assert made.provenance["eyes"] == "left"
    config = replace(pair_config(tmp_path, users=3, seconds=0.05, seed=SEED), eyes="left")
    np.testing.assert_array_equal(made.readings, simulate(config).readings)


def test_other_eyes_are_refused_with_what_there_is(tmp_path):
    with pytest.raises(SimulationError, match="'middle'; expected one of right, left, both"):
        replace(pair_config(tmp_path), eyes="middle")
