"""`psog bench multistage`: what it builds, how it compares, and what it tells of every way."""

import json

import numpy as np
import pytest
from rich.console import Console

from psog.benchmarks.multistage import SHORT, measure
from psog.benchmarks.multistage_figures import figures, tables
from psog.benchmarks.multistage_wearers import NINE, OWN, TUNED
from psog.benchmarks.stages_headset import AIM_DEG, PLACE_MM, as_designed, built
from psog.errors import PsogError
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
def test_every_way_is_judged_with_the_same_users(tmp_path):
    document = measure("ring16", SHORT, 1, Console(quiet=True), tmp_path / "kept.json")
    assert json.loads(json.dumps(document)) == document
    ways = {(w["way"], w["people"], w["calibration"]): w for w in document["ways"]}
    assert [key[:2] for key in ways if key[2] == NINE] == [
        ("population", 0),
        ("population, longer", 0),
        ("population, longer; headset as designed", 0),
        ("population → fleet", 0),
        ("population → headset", 4),
        ("population → fleet → headset", 4),
        ("population → fleet of a sister design", 0),
    ]
    own, tuned = (ways["population → headset", 4, how] for how in (OWN, TUNED))
    assert own["slips"] == tuned["slips"] and own["users"] == 1  # tuned in no step
    assert [len(table.rows) for table in tables(document)] == [7, 2]
    # what is kept is not measured again
    again = measure("ring16", SHORT, 1, Console(quiet=True), tmp_path / "kept.json")
    assert again == document
    with pytest.raises(PsogError, match="of another protocol"):
        measure("ring16", SHORT, 2, Console(quiet=True), tmp_path / "kept.json")


def errors(way, of_users, people=0, calibration=NINE):
    return {"way": way, "people": people, "calibration": calibration, "errors_deg": of_users}


def test_differences_are_paired_by_user_and_seed():
    reference = [[[1.0, 2.0], [3.0, 4.0]], [[2.0, 3.0], [2.0, 3.0]]]
    other = [[[0.5, 2.0], [3.5, 4.0]], [[1.0, 3.0], [1.0, 3.0]]]
    found = figures(
        [
            [errors("population, longer", a), errors("other", b), errors("other", b[:1], calibration=OWN)]
            for a, b in zip(reference, other, strict=True)
        ]
    )
    _, nine, own = found
    still = nine["slips"]["0"]
    assert still["mean_deg"] == 1.5 and still["sd_deg"] == pytest.approx(np.std([2.0, 1.0], ddof=1), abs=1e-4)
    assert still["difference"] == {
        "mean_deg": -0.5,
        "sd_users_deg": pytest.approx(np.std([-0.5, 0.5, -1, -1], ddof=1), abs=1e-4),
        "sd_seeds_deg": pytest.approx(np.std([0.0, -1.0], ddof=1), abs=1e-4),
        "better": 0.75,
    }
    assert own["users"] == 1 and own["slips"]["0"]["difference"]["mean_deg"] == 0
