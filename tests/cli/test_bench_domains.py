"""`psog bench domains`: every rung of the ladder on the same users, and clear notes where data are absent."""

import json

import numpy as np
import pytest
from rich.console import Console

from psog.benchmarks.domains import ABOUT, SHORT, Command, measure, tables
from psog.benchmarks.domains_recorded import rendered
from psog.errors import PsogError
from psog.headset import load_headset
from tests.data_paths import SHARED_DATA, needs_shared_data

QUIET = Console(quiet=True)
WITHOUT_LABELS = [
    "standardise",
    "gain",
    "dare-gram",
    "coral",
    "mmd",
    "dann",
    "standardise, then dare-gram",
]


@pytest.mark.usefixtures("one_thread")
def test_every_rung_is_judged_with_the_same_users(tmp_path):
    document = measure(("ageing",), SHORT, tmp_path, QUIET, keep=tmp_path / "kept")
    assert json.loads(json.dumps(document)) == document
    assert document["seeds"] == 1 and document["test_users"] == 2
    found = document["scenarios"]["ageing"]
    assert found["users"] == 2 and found["about"] == ABOUT["ageing"]
    assert list(found["ways"]) == [
        "source only",
        "source, longer",
        "standardise, own minute",
        "gain, own minute",
        *WITHOUT_LABELS,
        "4 people's labels",
        "standardise, then 4 people's labels",
        "oracle",
    ]
    for measure_name, figure in found["ways"]["source only"].items():
        assert figure["difference"] == [0.0, 0.0]
        other = found["ways"]["oracle"][measure_name]
        assert other["difference"][0] == pytest.approx(other["mean"] - figure["mean"], abs=2e-4)
    (table,) = tables(document)
    assert len(table.rows) == len(found["ways"]) and table.columns[0] == "way"
    kept = json.loads((tmp_path / "kept/ageing-0.json").read_text())
    kept["ways"]["source only"]["9 points"] = [1.0, 3.0]
    (tmp_path / "kept/ageing-0.json").write_text(json.dumps(kept))
    again = measure(("ageing",), SHORT, tmp_path, QUIET, keep=tmp_path / "kept")
    assert again["scenarios"]["ageing"]["ways"]["source only"]["9 points"]["mean"] == 2.0


def test_scenarios_without_their_data_are_left_out_with_a_reason(tmp_path):
    document = measure(("rendered", "video"), SHORT, tmp_path, QUIET)
    assert document["scenarios"] == {} and tables(document) == []
    for name, folder in {"rendered": "psog_nn", "video": "eye_video"}.items():
        assert f"there is no {tmp_path / folder}" in document["left_out"][name]


def test_an_unknown_scenario_is_one_line():
    with pytest.raises(PsogError, match="no scenario moon; expected some of optics"):
        Command(scenarios=("moon",)).run()


@needs_shared_data
def test_rendered_signals_are_calibrated_at_nine_targets_and_tested_on_files_nobody_learnt_from():
    domain = rendered(SHARED_DATA, load_headset("grid15"))
    assert len(domain.tested) == 4 and len(domain.unlabelled) == 2
    one = domain.tested[0]
    assert len(np.unique(one.support_deg, axis=0)) == 9
    unlabelled = {len(recording) for recording in domain.unlabelled}
    assert unlabelled == {7_938} and len(domain.few[0]) == 200
