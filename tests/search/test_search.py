"""A small search from beginning to end, stopped and gone on with."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from psog.cli.train import Command as Train
from psog.errors import HeadsetError, SearchError
from psog.firmware_export.toolchain import available_boards
from psog.net.architecture import standard
from psog.net.architecture_text import network_for
from psog.net.loop import Progress
from psog.net.run import ERROR_MOMENTUM
from psog.search.folder import read_order, working_on
from psog.search.picture import draw_search
from psog.search.plan import Plan
from psog.search.search import pareto_front, search
from psog.search.space import Candidate, fitted, like
from psog.search.trials import Tried, _study, forget_unfinished, tried, without_first

pytest.importorskip("optuna", reason="psog[search] is not installed")
if "mps2-an386" not in available_boards():
    pytest.skip("no Arm compiler or no QEMU is installed", allow_module_level=True)

PLAN = Plan(
    headset="ring16",
    board="mps2-an386",
    instructions=9000,
    trials=2,
    users=20,
    judges=2,
    steps=100,
    users_per_batch=2,
    finalists=1,
    final_steps=20,
    final_users_per_batch=2,
    final_seeds=1,
    final_judges=2,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("search") / "found"


@pytest.fixture(scope="module")
def begun(folder, model):
    return search(PLAN, folder, model=model)


@pytest.fixture(scope="module")
def found(folder, begun):
    """The same search with one trial more."""
    return search(replace(PLAN, trials=3), folder)


def test_a_search_goes_on_with_more_trials(begun, found):
    assert len(begun.tried) == 2
    assert len(found.tried) == 3
    assert found.tried[:2] == begun.tried


def test_what_is_done_is_not_done_again(folder, found):
    finals = (folder / "finalists.jsonl").read_bytes()
    assert search(found.order.plan, folder) == found
    assert (folder / "finalists.jsonl").read_bytes() == finals


def test_the_folder_has_the_result(folder, found):
    assert json.loads((folder / "result.json").read_text("utf-8")) == found.to_json()


def test_another_search_is_refused(folder, found):
    with pytest.raises(SearchError, match=r"begun with another instructions, seed; .* another folder"):
        search(replace(PLAN, instructions=8000, seed=1), folder)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(SearchError, match="holds no search"):
        search(PLAN, tmp_path)


def test_one_that_did_not_begin_is_not_in_the_way_of_the_next(tmp_path):
    with pytest.raises(HeadsetError, match="nope"):
        search(replace(PLAN, headset="nope"), tmp_path)
    with working_on(tmp_path):
        assert not (tmp_path / "search.json").exists()


def test_every_trial_keeps_to_the_budget(found):
    assert all(each.instructions <= PLAN.instructions for each in found.tried)


def test_the_standard_network_as_the_budget_allows_is_tried_first_and_a_finalist(found, ring16, model):
    limit = model.limit(PLAN.instructions)
    usual = fitted(like(standard(ring16)), ring16, model, limit)
    assert found.tried[0].candidate == usual
    assert [each.trial for each in found.finalists if each.candidate == usual] in ([0], [None])


def test_the_first_step_does_not_weigh_on_a_comparison():
    running = 40.0
    for _ in range(50):
        running += ERROR_MOMENTUM * (5.0 - running)
    assert without_first(Progress(0.5, 50, "float", running), 40.0) == pytest.approx(5.0)


def test_the_best_finalist_within_the_budget_is_found(found):
    assert found.best is not None
    within = [each for each in found.finalists if each.instructions <= PLAN.instructions]
    assert found.best == min(within, key=lambda each: each.mean_deg)


def test_the_command_trains_what_was_found(found, ring16):
    words = shlex.split(found.command)
    network = words[words.index("--network") + 1]
    assert words[:3] == ["psog", "train", "ring16"]
    assert network_for(network, ring16) == replace(found.best.candidate.architecture, embedding=0)
    assert Train("ring16", Path("model"), network=network)._config(ring16).architecture == (
        found.best.candidate.architecture
    )


def test_a_trial_that_was_interrupted_is_run_again(folder, found):
    plan = found.order.plan
    _study(plan, folder, 0).ask()
    forget_unfinished(plan, folder)
    assert tried(plan, folder) == list(found.tried)


def test_it_can_be_looked_at(found, tmp_path):
    draw_search(found, tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


def test_an_order_that_is_damaged_is_told_in_one_line(tmp_path):
    (tmp_path / "search.json").write_text('{"format": "psog-search"}')
    with pytest.raises(SearchError, match="cannot read the search in"):
        read_order(tmp_path)


def test_the_front_has_what_no_other_beats():
    def trial(number, instructions, error_deg):
        return Tried(number, Candidate.read("dense8", 1.0), instructions, 100, error_deg, None)

    trials = [trial(0, 10, 2.0), trial(1, 20, 1.5), trial(2, 30, 1.6), trial(3, 5, None), trial(4, 10, 1.9)]
    assert [each.number for each in pareto_front(trials)] == [4, 1]


@pytest.mark.parametrize(("name", "value"), [("trials", 0), ("steps", 50), ("users", 5), ("seed", -1)])
def test_a_plan_that_cannot_be_is_refused(name, value):
    with pytest.raises(SearchError, match=f"{name} {value}; at least"):
        replace(PLAN, **{name: value})
