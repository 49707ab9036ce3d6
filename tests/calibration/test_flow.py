"""What comes next in a calibration, without a headset."""

from collections.abc import Callable

import pytest

from psog.calibration.flow import (
    Abort,
    Act,
    Command,
    Discard,
    Flow,
    Keep,
    Pause,
    RedoAll,
    RedoLast,
    RedoPoint,
    Resume,
    Start,
    State,
    Step,
)
from psog.calibration.targets import plan_targets

PLAN = plan_targets(5, (20.0, 20.0), seed=1)


def started() -> Flow:
    flow = Flow(PLAN)
    assert flow.command(Start()) == ""
    return flow


def go_on(flow: Flow, until: Callable[[Step], bool]) -> list[Step]:
    """Carry out what it says until a step is that; those carried out."""
    steps = []
    while not until(flow.step) and not flow.all_judged:
        steps.append(flow.step)
        flow.finished(flow.step)
    return steps


def at_the_result(refusal: str = "") -> Flow:
    flow = started()
    go_on(flow, lambda step: False)
    flow.conclude(refusal)
    return flow


def test_nothing_happens_until_the_wearer_is_ready():
    assert Flow(PLAN).step == Step(Act.WAIT)


def test_targets_are_taken_then_the_head_is_fitted_then_judged():
    steps = go_on(started(), lambda step: False)
    taken = [Step(Act.TAKE, point) for point in range(5)]
    assert steps == [*taken, Step(Act.FIT), *(Step(Act.JUDGE, point) for point in range(5, 13))]


def test_a_pause_takes_nothing_and_goes_on_with_the_point_that_it_cut_short():
    flow = started()
    go_on(flow, lambda step: step.point == 2)
    assert flow.command(Pause("the page was closed")) == ""
    assert (flow.step, flow.note) == (Step(Act.WAIT), "the page was closed")
    assert flow.command(Resume()) == ""
    assert (flow.step, flow.note) == (Step(Act.TAKE, 2), "")


def test_trouble_with_a_point_is_a_pause_that_says_why():
    flow = started()
    flow.trouble("the eye was closed")
    assert (flow.state, flow.note) == (State.PAUSED, "the eye was closed")


def test_a_calibration_point_is_forgotten_before_it_is_taken_again():
    flow = started()
    go_on(flow, lambda step: step.point == 3)
    assert flow.command(RedoPoint(1)) == ""
    again = go_on(flow, lambda step: step.point == 3)
    assert again == [Step(Act.FORGET, 1), Step(Act.TAKE, 1)]
    assert flow.retaken == 1


def test_the_last_point_needs_no_number():
    flow = started()
    assert flow.command(RedoLast()) == "no point is finished yet"
    go_on(flow, lambda step: step.point == 3)
    flow.command(RedoLast())
    assert flow.step == Step(Act.FORGET, 2)


def test_a_validation_point_is_judged_again_and_the_result_comes_back():
    flow = at_the_result()
    assert flow.command(RedoPoint(7)) == ""
    assert go_on(flow, lambda step: False) == [Step(Act.JUDGE, 7)]
    assert flow.all_judged


def test_a_calibration_point_cannot_be_taken_alone_once_the_head_is_fitted():
    flow = at_the_result()
    assert "only be taken again all together" in flow.command(RedoPoint(1))
    assert flow.state is State.RESULT


def test_a_point_that_does_not_exist_is_refused():
    flow = started()
    for point in (-1, 0, 99):
        assert f"point {point} is not finished yet" in flow.command(RedoPoint(point))


def test_all_again_begins_with_an_empty_headset():
    flow = at_the_result()
    flow.command(RedoAll())
    steps = go_on(flow, lambda step: False)
    assert steps[:2] == [Step(Act.BEGIN_AGAIN), Step(Act.TAKE, 0)]
    assert len(steps) == 1 + 5 + 1 + 8


def test_a_result_that_is_no_better_cannot_be_kept_but_discarded():
    flow = at_the_result("it was not better")
    assert flow.command(Keep()) == "it was not better"
    assert flow.step == Step(Act.WAIT)
    assert flow.command(Discard()) == ""
    assert flow.step == Step(Act.DISCARD)


def test_a_headset_that_was_away_has_forgotten_everything():
    flow = started()
    go_on(flow, lambda step: step.point == 4)
    flow.gone("unplugged")
    assert (flow.state, flow.step) == (State.AWAY, Step(Act.WAIT))
    flow.returned("begin again")
    assert flow.state is State.READY
    flow.command(Start())
    assert flow.step == Step(Act.TAKE, 0)


@pytest.mark.parametrize("command", [Start(), Resume(), Keep(), Discard()])
def test_a_command_out_of_place_is_refused_and_changes_nothing(command: Command):
    flow = started()
    before = flow.step
    assert "not possible now: the calibration is running" in flow.command(command)
    assert flow.step == before


def paused() -> Flow:
    flow = started()
    flow.command(Pause())
    return flow


def away() -> Flow:
    flow = started()
    flow.gone("unplugged")
    return flow


@pytest.mark.parametrize("flow", [Flow(PLAN), started(), paused(), away(), at_the_result()])
def test_stopping_is_possible_everywhere_and_decides_nothing(flow: Flow):
    assert flow.command(Abort()) == ""
    assert flow.step == Step(Act.LEAVE)
    assert flow.command(Start()) != ""
