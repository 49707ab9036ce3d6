"""Calibration sessions in which eye, wearer or headset do not do what they should."""

import contextlib

import numpy as np
import pytest

from psog.calibration.events import (
    Abandoned,
    Decided,
    Event,
    EyeSettled,
    Fitted,
    PointTaken,
)
from psog.calibration.guide import run_session
from psog.calibration.session import Settings
from psog.calibration.targets import Target
from psog.device.client import open_headset
from psog.errors import CalibrationError, LinkError
from psog.virtual.headset import VirtualHeadset
from tests.calibration.worn import FULL_PLAN, HEADSET, PLAN, SPEED, calibrate, gaze_at, worn_by


def test_an_eye_that_is_closed_when_the_target_appears_is_named(client, eye):
    eye.closed.set()
    with pytest.raises(CalibrationError, match=r"target .*: the eye was closed in \d+% of the readings"):
        calibrate(client, accept=True)
    assert not client.hello().calibrated


def test_an_eye_that_closes_while_readings_are_taken_is_named(client, eye):
    def close(event: Event) -> None:
        if isinstance(event, EyeSettled):
            eye.closed.set()

    impatient = Settings(readings=5000, patience_s=1.0)
    with pytest.raises(CalibrationError, match=r"the eye was mostly closed for 1 s"):
        run_session(client, PLAN, impatient, lambda judged: True, close)
    assert not client.hello().calibrated


def test_an_eye_that_closes_during_validation_is_named(client, eye):
    def close(event: Event) -> None:
        if isinstance(event, EyeSettled) and event.target.purpose == "validation":
            eye.closed.set()

    long = Settings(readings=2000)
    with pytest.raises(CalibrationError, match=r"only \d+ of 2000 readings in 10 s show an open eye at rest"):
        run_session(client, PLAN, long, lambda judged: True, close)
    assert not client.hello().calibrated


def test_sensors_with_too_much_light_are_named(client, eye):
    eye.closed_reading = np.full(HEADSET.sensor_count, 65520, np.uint16)
    eye.closed.set()
    with pytest.raises(
        CalibrationError, match=r"end of their range \(too much light.*\) in \d+% of the readings"
    ):
        calibrate(client, accept=True)

    def dazzle(event: Event) -> None:
        if isinstance(event, EyeSettled):
            eye.closed.set()

    eye.closed.clear()
    impatient = Settings(readings=5000, patience_s=1.0)
    with pytest.raises(CalibrationError, match=r"too much light.* for 1 s"):
        run_session(client, PLAN, impatient, lambda judged: True, dazzle)


def test_an_absent_minded_wearer_keeps_the_calibration_there_was(client, eye, monkeypatch):
    """The second time they look at the target before."""
    assert calibrate(client, accept=True).accepted
    kept = gaze_at(client)
    shown, last = eye.show, [Target("calibration", 0.0, 0.0)]

    def look_at_the_last(target) -> None:
        if target is None:
            shown(None)
        else:
            shown(last[-1])
            last.append(target)

    monkeypatch.setattr(eye, "show", look_at_the_last)
    events: list[Event] = []
    report = calibrate(client, accept=True, plan=FULL_PLAN, observer=events.append)
    monkeypatch.undo()
    assert not report.accepted
    assert "the gaze did not follow the targets" in report.refusal
    assert events[-1] == Decided(accepted=False, refusal=report.refusal)
    assert gaze_at(client) == kept


def test_validation_that_does_not_agree_leaves_the_headset_as_it_was(client, eye, monkeypatch):
    """The fit is good, but then somebody looks elsewhere."""
    before = gaze_at(client)
    shown = eye.show

    def look_away(event: Event) -> None:
        if isinstance(event, Fitted):
            assert event.verdict == 0
            monkeypatch.setattr(eye, "show", lambda target: shown(target and Target("validation", 9.0, 9.0)))

    report = calibrate(client, accept=True, observer=look_away)
    monkeypatch.undo()
    assert not report.accepted
    assert "better than none" in report.refusal
    assert gaze_at(client) == before


def test_a_headset_without_a_model_is_told_to_get_one(eye, tmp_path):
    with (
        worn_by(eye, None, tmp_path / "flash") as client,
        pytest.raises(CalibrationError, match="psog flash"),
    ):
        calibrate(client, accept=True)


def test_a_headset_that_disappears_is_one_clear_error(eye, image, tmp_path):
    with contextlib.ExitStack() as plugged_in:
        virtual = plugged_in.enter_context(
            VirtualHeadset("host", eye, image=image, flash=tmp_path / "flash", speed=SPEED)
        )

        def unplug(event: Event) -> None:
            if isinstance(event, PointTaken):
                plugged_in.close()

        events: list[Event] = []
        with open_headset(virtual.port) as client, pytest.raises(LinkError, match="has gone"):
            calibrate(client, accept=True, observer=lambda e: (events.append(e), unplug(e)))
    assert isinstance(events[-1], Abandoned)
    assert "has gone" in events[-1].reason
