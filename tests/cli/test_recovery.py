"""`psog recovery` and `psog bench recovery`, as typed."""

import json
import shutil

import numpy as np
import pytest

from psog.benchmarks.recovery_figures import auroc
from psog.cli.main import main
from psog.headset import load_headset
from psog.net.recovery_file import NAME
from psog.sim.hours import ASKED, WEARS, wear_for_hours


@pytest.fixture(scope="module")
def learnt(tiny_model, tmp_path_factory):
    """The tiny model, with what slips of 24 users teach."""
    folder = tmp_path_factory.mktemp("learnt") / "model"
    shutil.copytree(tiny_model, folder)
    main(["recovery", str(folder), "--users", "24"])
    return folder


def test_what_was_learnt_is_not_replaced_unasked(learnt):
    before = (learnt / NAME).read_bytes()
    with pytest.raises(SystemExit, match="already exists"):
        main(["recovery", str(learnt), "--users", "24"])
    assert (learnt / NAME).read_bytes() == before


def test_the_bench_tells_every_wear_and_way(learnt, capsys, tmp_path):
    words = ["bench", "recovery", str(learnt), "--users", "2", "--minutes", "6", "--json"]
    main([*words, "--out", str(tmp_path / "picture.png")])
    found = json.loads(capsys.readouterr().out)
    assert list(found["errors"]) == list(WEARS)
    for row in found["errors"].values():
        assert list(row) == ["nothing", "offset", "one target", "implicit", "both"]
        assert all(0 < way["median_deg"] < 20 for way in row.values())
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["recovery", "nowhere"], "nowhere is not a model"),
        (["recovery", "MODEL", "--headset", "grid15", "--force"], "the model is for headset 'ring16'"),
        (["bench", "recovery", "MODEL", "--users", "0"], "by 0 users"),
        (["bench", "recovery", "MODEL", "--out", "picture.jpg"], "ends in .png"),
    ],
)
def test_what_cannot_be_is_one_line(learnt, words, told):
    with pytest.raises(SystemExit, match=told):
        main([str(learnt) if word == "MODEL" else word for word in words])


def test_a_score_that_knows_nothing_has_half():
    assert auroc(np.array([1.0, 2, 3, 4]), np.array([False, False, True, True])) == 1
    assert auroc(np.ones(4), np.array([False, True, False, True])) == 0.5
    assert auroc(np.ones(3), np.ones(3, bool)) is None


def test_an_hour_moves_the_headset_as_its_wear_says():
    headset = load_headset("ring16")
    hours = {
        name: wear_for_hours(headset, WEARS[name], users=2, seed=3, minutes=22)
        for name in ("fixed", "jolt", "donned again")
    }
    assert not hours["fixed"].shift_mm.any()
    np.testing.assert_allclose(hours["jolt"].shift_mm[:, :20], 0)
    np.testing.assert_allclose(hours["jolt"].shift_mm[:, 20:], 2)
    again = hours["donned again"].shift_mm
    assert (np.abs(again[:, 15] - again[:, 14]) > 1).any()  # put on elsewhere
    assert (np.abs(np.diff(again[:, :15])) < 1).all()
    episodes = hours["fixed"].episodes
    assert not episodes.gaze_deg[:, 1:, ASKED].any()
    # The same people calibrate in the same way whatever happens to them afterwards.
    np.testing.assert_array_equal(episodes.readings[:, 0], hours["jolt"].episodes.readings[:, 0])
