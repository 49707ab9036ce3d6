"""Networks made for one user alone, against the bound of that user."""

import json

import pytest

from psog.benchmarks.known_user import known_user_bound
from psog.cli.main import main
from psog.headset import load_headset
from psog.sim.bound.survey import Question, survey
from psog.sim.population import draw_users
from psog.sim.streams import derived_seed


def test_the_bound_is_that_of_the_survey_within_the_field():
    ring = load_headset("ring16")
    found = known_user_bound(ring, draw_users(1, derived_seed(3, "bound")), fits=1, seed=3)
    inner = ring.model_copy(
        update={"field_deg": (16.0, 16.0)}
    )  # from middle to middle of 5 × 5 parts of ±20°
    known = survey(inner, Question(users=1, gazes=5, slips_mm=(0.0,), points=0, donning_mm=4.0, seed=3))
    # Nearly: how far a gaze may be is part of the prior.
    assert found.mean_deg == pytest.approx(known.median_user_deg("known user", 0, 0), rel=0.01)
    assert found.rms_deg == pytest.approx(known.rms_deg("known user", 0, 0)[0], rel=0.01)


def test_the_network_learns_its_user_and_stays_above_the_bound(capsys):
    words = ["--users", "1", "--steps", "300", "--samples", "6400", "--fits", "1", "--json"]
    main(["bench", "known-user", *words])
    printed = json.loads(capsys.readouterr().out)
    (user,) = printed["found"]
    for form in ("float", "int8"):
        assert user["bound"]["mean_deg"] < user[form]["mean_deg"] < 5  # looking straight ahead has 15
        assert user[form]["mean_deg"] < user[form]["rms_deg"]
        expected = user[form]["mean_deg"] / user["bound"]["mean_deg"]
        assert printed[f"median_{form}_ratio"] == user[form]["ratio"] == pytest.approx(expected, abs=1e-3)


def test_the_table_names_its_user_and_its_seed(capsys):
    words = ["--users", "1", "--steps", "20", "--samples", "640", "--fits", "1"]
    main(["bench", "known-user", *words, "--network", "dense8"])
    printed = capsys.readouterr().out
    assert "±4 mm (seed 0)" in printed
    assert "1,024 MACs" in printed  # two planes of 40 cells, 8 units, 32 features, 4 outputs
    assert [line[2] for line in printed.splitlines() if line.startswith("│")] == ["0"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--users", "0"], "--users is 0; expected at least 1"),
        (["--samples", "0"], "--samples is 0"),
        (["--steps", "0"], "steps=0"),
        (["nowhere"], "nowhere"),
        (["--network", "large"], "no network 'large'"),
    ],
)
def test_what_cannot_be_measured_is_one_line(words, told):
    with pytest.raises(SystemExit, match=told):
        main(["bench", "known-user", *words, "--fits", "1"])
