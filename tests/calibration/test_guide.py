"""A guided calibration against the real firmware: what a wearer may do, and what may go wrong."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from psog.calibration.events import (
    Abandoned,
    CommandRefused,
    Decided,
    Event,
    EyeSettled,
    Fitted,
    PointJudged,
    PointTaken,
    Stands,
    TargetShown,
)
from psog.calibration.flow import (
    Abort,
    Discard,
    Keep,
    Pause,
    RedoAll,
    RedoLast,
    RedoPoint,
    Resume,
    Start,
    State,
)
from psog.calibration.guide import Guide
from psog.calibration.session import Settings
from psog.calibration.still import StillnessRule
from psog.calibration.targets import plan_targets
from psog.device.client import Client, open_headset
from psog.errors import LinkError
from psog.firmware_export.image_file import load_image
from psog.headset import load_headset
from psog.virtual.headset import VirtualHeadset
from psog.virtual.wearer import Wearer
from tests.calibration.steady import SteadyEye

HEADSET = load_headset("ring16")
WHOLE = plan_targets(5, HEADSET.field_deg, seed=0)
PLAN = replace(WHOLE, validation=WHOLE.validation[:2])
SETTINGS = Settings(readings=60, stillness=StillnessRule(latest_us=2_000_000))
SPEED = 8.0  # device seconds per second: nothing here depends on the host's clock


@pytest.fixture(scope="module")
def eye() -> SteadyEye:
    return SteadyEye(HEADSET)


@pytest.fixture(scope="module")
def virtual(eye, tmp_path_factory):
    flash = tmp_path_factory.mktemp("guide") / "flash"
    with VirtualHeadset(
        "host", eye, image=load_image(Path(HEADSET.name)), flash=flash, speed=SPEED
    ) as virtual:
        yield virtual


@pytest.fixture
def client(virtual, eye):
    with open_headset(virtual.port) as client:
        client.calibration_erase()
        client.hello()
        yield client
    eye.closed.clear()


def led(client: Client, *script, **options):
    """Events and report of a guide that is given commands: each when something happened after the one before.

    A command may also be a function, which is called with the guide.
    """
    events: list[Event] = []
    waiting = deque(script)

    def watch(event: Event) -> None:
        events.append(event)
        if waiting and waiting[0][0](event):
            _, command = waiting.popleft()
            command(guide) if callable(command) else guide.give(command)

    guide = Guide(client, PLAN, SETTINGS, watch, **options)
    report = guide.run()
    assert not waiting
    return events, report


def stands(state: State, note: str = "") -> Callable[[Event], bool]:
    return lambda event: isinstance(event, Stands) and event.state is state and note in event.note


def at(index: int, kind: type = TargetShown) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, kind) and event.target == PLAN.calibration[index]


START = (stands(State.READY), Start())
KEEP = (stands(State.RESULT), Keep())
ABORT = (stands(State.RESULT), Abort())


def test_the_wearer_starts_and_keeps(client):
    events, report = led(client, START, KEEP)
    assert report.accepted
    assert events[-1] == Decided(accepted=True, refusal="")
    passed = [event.state for event in events if isinstance(event, Stands)]
    assert passed == [State.READY, State.RUNNING, State.RESULT, State.ENDED]
    assert client.hello().calibrated


def test_a_pause_while_readings_are_taken_leaves_the_fit_as_if_it_had_not_been(client):
    plain, _ = led(client, START, ABORT)
    paused, _ = led(
        client,
        START,
        (at(2, EyeSettled), Pause("a word")),
        (stands(State.PAUSED, "a word"), Resume()),
        ABORT,
    )
    fits = [next(e for e in events if isinstance(e, Fitted)) for events in (plain, paused)]
    assert fits[0] == fits[1]
    assert [e.target for e in paused if isinstance(e, PointTaken)] == list(PLAN.calibration)


def test_points_are_taken_and_judged_again_one_at_a_time(client):
    events, report = led(
        client,
        START,
        (at(3), RedoLast()),
        (stands(State.RESULT), RedoPoint(len(PLAN.calibration) + 1)),
        KEEP,
    )
    taken = [event.target for event in events if isinstance(event, PointTaken)]
    assert taken.count(PLAN.calibration[2]) == 2
    assert len([event for event in events if isinstance(event, PointJudged)]) == 3
    assert (report.retaken, report.fitted.targets, report.accepted) == (2, len(PLAN.calibration), True)


def test_all_again_is_a_calibration_of_its_own(client):
    events, report = led(client, START, (at(4), RedoAll()), KEEP)
    assert [event.target for event in events if isinstance(event, PointTaken)][-5:] == list(PLAN.calibration)
    assert (report.fitted.targets, len(report.taken), report.accepted) == (5, 5, True)


@pytest.mark.parametrize(
    "moment", [stands(State.READY), at(1), at(1, EyeSettled), at(1, PointTaken), stands(State.RESULT)]
)
def test_stopping_at_any_moment_keeps_what_there_was(client, eye, moment):
    script = [(moment, Abort())] if moment(Stands(State.READY, "")) else [START, (moment, Abort())]
    events, report = led(client, *script)
    assert report is None
    assert events[-1] == Abandoned("")
    assert eye.hidden.wait(5)
    assert not client.hello().calibrated


def test_a_closed_eye_is_a_pause_that_says_so_and_the_point_is_taken_when_it_opens(client, eye):
    def open_it(guide: Guide) -> None:
        eye.closed.clear()
        guide.give(Resume())

    events, report = led(
        client,
        START,
        (at(1), lambda guide: eye.closed.set()),
        (stands(State.PAUSED, "the eye was closed in"), open_it),
        KEEP,
    )
    assert report.accepted
    assert len([event for event in events if isinstance(event, PointTaken)]) == len(PLAN.calibration)


def test_what_cannot_be_done_now_is_told_and_nothing_else_happens(client):
    events, _ = led(client, START, (at(1), Keep()), (at(2), RedoPoint(4)), ABORT)
    told = [event.why for event in events if isinstance(event, CommandRefused)]
    assert told == [
        "Keep is not possible now: the calibration is running",
        "point 4 is not finished yet; finished are [0, 1]",
    ]
    assert [event.target for event in events if isinstance(event, PointTaken)] == list(PLAN.calibration)


def test_a_headset_that_comes_back_begins_again_and_one_that_does_not_is_the_end(client, virtual):
    def come_back(check) -> Client:
        again.append(open_headset(virtual.port))
        return again[-1]

    again: list[Client] = []
    _, report = led(
        client,
        START,
        (
            at(2, EyeSettled),
            lambda guide: client.close(),
        ),  # as an unplugged cable: every command and sample fails
        (stands(State.AWAY), lambda guide: None),
        (stands(State.READY, "begin again"), Start()),
        KEEP,
        reopen=come_back,
    )
    assert report.accepted
    assert report.fitted.targets == len(PLAN.calibration)
    again[0].close()
    with open_headset(virtual.port) as other, pytest.raises(LinkError):
        led(other, START, (at(1), lambda guide: other.close()))


def test_a_wearer_who_never_looks_cannot_keep_what_came_of_it(tmp_path):
    """The device tells it from the readings; a pause is possible too, where the eye never comes to rest."""
    told: list[str] = []

    def go_on(event: Event) -> None:
        if isinstance(event, Stands) and event.state in (State.READY, State.PAUSED):
            guide.give(Start() if event.state is State.READY else Resume())
        if isinstance(event, Stands) and event.state is State.RESULT:
            told.append(event.note)
            guide.give(Keep())
            guide.give(Discard())

    wearer = Wearer(HEADSET, 1000, heeds_targets=False)
    image = load_image(Path(HEADSET.name))
    with (
        VirtualHeadset("host", wearer, image=image, flash=tmp_path / "flash", speed=SPEED) as virtual,
        open_headset(virtual.port) as client,
    ):
        guide = Guide(client, PLAN, SETTINGS, go_on)
        report = guide.run()
        assert not client.hello().calibrated
    assert "the gaze did not follow the targets" in told[0]
    assert report is not None
    assert (report.accepted, report.refusal) == (False, told[0])
