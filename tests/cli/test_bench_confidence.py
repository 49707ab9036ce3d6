"""The bench of confidence."""

import json

import pytest

from psog.benchmarks.confidence import tables
from psog.cli.main import main


@pytest.fixture(scope="module")
def found(tiny_model):
    from psog.benchmarks.confidence import figures
    from psog.headset import load_headset
    from psog.net.confidence import judge
    from psog.net.store import load_model
    from psog.sim.episodes import make_test_episodes

    net, headset = load_model(tiny_model).net, load_headset("ring16")
    episodes = make_test_episodes(
        headset, users=6, seed=5, repeats=2, slips_mm=(0.0, 1.0, 2.0, 4.0, 6.0), lids_share=0.25
    )
    return figures(net, judge(net, episodes, headset, 5))


def test_a_calibration_knows_lids_and_slips_that_it_has_not_seen(found):
    auroc = found["calibrated"]["auroc"]
    assert min(auroc["lids"], auroc["slips"]) > 0.7


def test_tenths_rise_by_what_is_expected(found):
    for state in ("uncalibrated", "calibrated"):
        for tenths in found[state]["reliability"].values():
            expected = [one for one, _ in tenths]
            assert expected == sorted(expected)


def test_the_error_falls_when_the_worst_are_withheld(found):
    left = found["calibrated"]["error_deg"]["everything"]
    assert left["0.2"] < left["0.1"] < left["0.05"] < left["0"]


def test_the_command_prints_the_same_as_json(tiny_model, capsys):
    main(["bench", "confidence", str(tiny_model), "--users", "2", "--seed", "5", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["users"] == 2
    (found,) = report["models"].values()
    assert 0 <= found["openness"]["closed"] <= 1
    assert len(found["calibrated"]["reliability"]["within"]) == 10
    auroc, withheld, tenths = tables(report)
    assert (len(auroc.rows), len(withheld.rows), len(tenths.rows)) == (7, 6, 4)
