"""`psog bench stages`: what it builds, and what it tells of every way."""

import json

import numpy as np
import pytest
from rich.console import Console

from psog.benchmarks.stages import NINE, OWN, TUNED, Protocol, measure
from psog.benchmarks.stages_headset import AIM_DEG, PLACE_MM, as_designed, built
from psog.headset import load_headset

HEADSET = load_headset("ring16")


def aim_deg(sensor):
    ways = [
        np.subtract(sensor.detector_aim_mm, sensor.detector_mm),
        np.subtract(sensor.emitter_aim_mm, sensor.emitter_mm),
    ]
    return np.array([way / np.linalg.norm(way) for way in ways])


def test_a_built_headset_has_the_name_of_its_file_and_small_errors_of_its_seed():
    real = built(HEADSET, seed=3)
    assert real.headset.name == HEADSET.name and real.headset != HEADSET
    assert built(HEADSET, seed=3).headset == real.headset != built(HEADSET, seed=4).headset
    for was, is_now in zip(HEADSET.sensors, real.headset.sensors, strict=True):
        moved_mm = np.subtract(is_now.detector_mm, was.detector_mm)
        assert 0 < np.abs(moved_mm).max() <= PLACE_MM
        turned_deg = np.rad2deg(np.arccos((aim_deg(was) * aim_deg(is_now)).sum(axis=1)))
        assert (turned_deg <= np.sqrt(2) * AIM_DEG).all() and turned_deg.max() > 0


def test_a_tested_user_s_own_recording_depends_on_the_user_alone():
    worn = as_designed(HEADSET)
    first, again, other = (worn.record_tested(k, 1.0, seed=5).readings for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.mean(axis=0) - other.mean(axis=0)).max() > 100


@pytest.mark.usefixtures("one_thread")
def test_every_way_is_judged_with_the_same_users():
    protocol = Protocol(
        steps=150,
        further=40,
        users=20,
        headsets=1,
        people=8,
        people_s=21.0,
        test_users=3,
        tuned_users=1,
        own_s=21.0,
        tuned_steps=0,
    )
    result = measure("ring16", protocol, 1, Console(quiet=True))
    assert json.loads(json.dumps(result)) == result
    ways = result["ways"]
    assert list(ways) == [
        "population, longer; headset as designed",
        "population",
        "population, longer",
        "headset only",
        "population → headset",
        "population → headset and simulated users",
    ]
    assert ways["population, longer"][NINE]["0"]["difference"] == [0.0, 0.0]
    for way in list(ways)[1:]:
        assert ways[way][NINE]["1"]["users"] == 3
        assert ways[way][OWN]["1"]["users"] == 1
        assert ways[way][OWN] == ways[way][TUNED]  # tuned in no step
    found, reference = (ways[way][NINE]["0"] for way in ("population → headset", "population, longer"))
    assert found["difference"][0] == pytest.approx(found["mean_deg"] - reference["mean_deg"], abs=2e-4)
