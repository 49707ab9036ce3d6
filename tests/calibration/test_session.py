"""A calibration session against the real firmware, with an eye whose readings are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.calibration.events import (
    Abandoned,
    Decided,
    Event,
    Fitted,
    PointJudged,
    PointTaken,
    ReadingsIn,
    TargetShown,
)
from psog.calibration.interruption import Interrupted
from psog.calibration.looks import Look
from psog.calibration.session import CalibrationSession
from psog.calibration.targets import plan_targets
from psog.device.client import Client, open_headset
from psog.device.samples import TrialSample
from psog.errors import CalibrationError, DeviceError, LinkError
from psog.firmware_export.image_file import load_image
from psog.firmware_export.image_reader import read_image
from psog.net.ridge import solve_head
from psog.virtual.headset import VirtualHeadset
from tests.calibration.steady import SteadyEye
from tests.calibration.worn import FULL_PLAN, HEADSET, PLAN, SETTINGS, SPEED, calibrate, gaze_at, worn_by


def test_device_finds_the_head_that_the_hosts_ridge_finds(client, eye, image):
    """On the same features: every target is one known reading, repeated."""
    model = read_image(image)
    trials: list[TrialSample] = []
    with CalibrationSession(client, SETTINGS, lambda event: None) as session:
        for number, target in enumerate(FULL_PLAN.calibration, start=1):
            session.take(target, number, 13)
        fitted = session.fit()
        for target in FULL_PLAN.validation:
            session.judge(target, 1, 1)
            client.drop_samples()
            trials.append(next(s for s in client.samples() if isinstance(s, TrialSample)))

    def real_features(targets):
        wire = np.stack([eye.reading_at(target.h_deg, target.v_deg) for target in targets])
        quantization = model.feature_quantization
        q = model.features(wire).astype(np.float64)
        return np.c_[quantization.scale * (q - quantization.zero_point)]

    features = real_features(FULL_PLAN.calibration)
    target_deg = np.array([(target.h_deg, target.v_deg) for target in FULL_PLAN.calibration])
    head = solve_head(features, target_deg, model.head.weight, model.head.ridge)

    def gaze_deg(features, head):
        return np.c_[features, np.ones(len(features))] @ np.asarray(head, np.float64).T

    expected = gaze_deg(real_features(FULL_PLAN.validation), head)
    np.testing.assert_allclose([(s.gaze_h_deg, s.gaze_v_deg) for s in trials], expected, atol=1e-3)

    def rms_deg(head):
        return np.sqrt(((gaze_deg(features, head[:2]) - target_deg) ** 2).sum(axis=1).mean())

    assert fitted.samples == 13 * SETTINGS.readings
    assert fitted.targets == 13
    assert fitted.before_deg == pytest.approx(rms_deg(model.head.weight), rel=1e-3)
    assert fitted.after_deg == pytest.approx(rms_deg(head), rel=1e-2)


def test_events_tell_the_session_in_order(client):
    events: list[Event] = []
    calibrate(client, accept=True, observer=events.append)
    shown = [event.target for event in events if isinstance(event, TargetShown)]
    assert shown == [*PLAN.calibration, *PLAN.validation]
    kinds = [type(e) for e in events if isinstance(e, PointTaken | Fitted | PointJudged | Decided)]
    assert kinds == [PointTaken] * 9 + [Fitted] + [PointJudged] * 2 + [Decided]
    assert not any(isinstance(event, Abandoned) for event in events)


def test_a_profile_gets_the_readings_at_the_targets_that_were_kept_and_only_when_asked(client, eye):
    first, second = PLAN.calibration[:2]
    with CalibrationSession(client, replace(SETTINGS, keeps_readings=True), lambda event: None) as session:
        for target in (first, second):
            session.take(target, 1, 2)
        places = [(target.h_deg, target.v_deg) for target in (first, second)]
        expected = [Look(*place, tuple(eye.reading_at(*place))) for place in places]
        assert session.looks == tuple(expected)
        session.forget(first)
        assert session.looks == (expected[1],)
    with CalibrationSession(client, SETTINGS, lambda event: None) as session:
        session.take(first, 1, 1)
        assert session.looks == ()


def test_before_and_after_are_measured_on_the_same_readings(client):
    report = calibrate(client, accept=False)
    for before, after in zip(report.before.targets, report.after.targets, strict=True):
        assert len(before.gaze_deg) == len(after.gaze_deg) == SETTINGS.readings
        assert before.lost == after.lost


def test_accepted_calibration_is_in_use_and_survives_restart_and_power_loss(eye, image, tmp_path):
    flash = tmp_path / "flash"
    with worn_by(eye, image, flash) as client:
        *before, calibrated = gaze_at(client)
        assert not calibrated
        report = calibrate(client, accept=True)
        assert report.accepted
        after = gaze_at(client)
        assert after[:2] != tuple(before)
        assert after[2]
        assert client.restart().calibrated
        assert gaze_at(client) == after
    with worn_by(eye, image, flash) as client:
        assert client.info.calibrated
        assert gaze_at(client) == after


def test_rejected_calibration_leaves_a_new_headset_uncalibrated(client):
    before = gaze_at(client)
    report = calibrate(client, accept=False)
    assert not report.accepted
    assert gaze_at(client) == before
    assert not client.restart().calibrated


def leave_after_two_targets(client: Client) -> None:
    with CalibrationSession(client, SETTINGS, lambda event: None) as session:
        for number, target in enumerate(PLAN.calibration[:2], start=1):
            session.take(target, number, 5)


def stop_while_judging(client: Client) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, PointJudged):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(client, accept=True, plan=FULL_PLAN, observer=stop)


def reject(client: Client) -> None:
    calibrate(client, accept=False, plan=FULL_PLAN)


def close_the_port(client: Client) -> None:
    def close(event: Event) -> None:
        if isinstance(event, Fitted):
            client.close()

    with pytest.raises(LinkError):
        calibrate(client, accept=True, plan=FULL_PLAN, observer=close)


@pytest.mark.parametrize("stop", [leave_after_two_targets, stop_while_judging, reject, close_the_port])
def test_last_good_calibration_outlives_a_session_that_is_not_accepted(stop, eye, image, tmp_path):
    with VirtualHeadset("host", eye, image=image, flash=tmp_path / "flash", speed=SPEED) as virtual:
        with open_headset(virtual.port) as client:
            calibrate(client, accept=True)
            kept = gaze_at(client)
            stop(client)
        with open_headset(virtual.port) as client:
            assert gaze_at(client) == kept
            client.restart()
            assert gaze_at(client) == kept


def test_leaving_early_clears_the_display_and_the_devices_memory(client, eye):
    events: list[Event] = []
    with CalibrationSession(client, SETTINGS, events.append) as session:
        for number, target in enumerate(PLAN.calibration, start=1):
            session.take(target, number, 5)
            assert not eye.hidden.is_set()
    assert events[-1] == Abandoned("")
    assert eye.hidden.wait(5)
    with pytest.raises(DeviceError, match="not possible in this state"):
        client.tune_solve()


def test_a_calibration_without_targets_is_refused_by_the_device(client):
    with (
        CalibrationSession(client, SETTINGS, lambda event: None) as session,
        pytest.raises(DeviceError, match="too few calibration samples"),
    ):
        session.fit()


def test_steps_out_of_order_are_refused(client):
    with CalibrationSession(client, SETTINGS, lambda event: None) as session:
        with pytest.raises(CalibrationError, match="needs a session that has fitted the head"):
            session.decide(accept=True)
        with pytest.raises(CalibrationError, match="needs a session that has fitted the head"):
            session.judge(PLAN.validation[0], 1, 1)
    with pytest.raises(CalibrationError, match="this one has ended"):
        session.fit()


@pytest.mark.parametrize("user_seed", [1000, 1001, 1002])
def test_users_never_seen_gain_where_they_were_not_calibrated(user_seed, tmp_path):
    """Deterministic: an eye that neither blinks nor wanders, whatever the computer's pace."""
    plan = plan_targets(9, HEADSET.field_deg, seed=0)
    model = load_image(Path(HEADSET.name))  # that comes with psog
    with worn_by(SteadyEye(HEADSET, user_seed), model, tmp_path / "flash") as client:
        report = calibrate(client, accept=True, plan=plan)
    assert report.after.accuracy_deg < 0.5 * report.before.accuracy_deg


def test_a_point_that_is_taken_again_leaves_the_fit_that_a_good_one_would_have(client, eye, monkeypatch):
    """First the eye is elsewhere; then the step is left half way; then it is on the target."""
    interrupt = Interruption()
    with CalibrationSession(client, SETTINGS, interrupt.observe, check=interrupt.check) as session:
        for number, target in enumerate(PLAN.calibration, start=1):
            session.take(target, number, 9)
        good = session.fit()
        session.begin_again()
        for number, target in enumerate(PLAN.calibration, start=1):
            with monkeypatch.context() as elsewhere:
                shown = eye.show
                elsewhere.setattr(eye, "show", lambda _, shown=shown: shown(PLAN.validation[0]))
                session.take(target, number, 9)
            session.forget(target)
            interrupt.half_way = True
            with pytest.raises(Interrupted):
                session.take(target, number, 9)
            session.take(target, number, 9)
        assert session.fit() == good


class Interruption:
    """Leaves a step when half of a target's readings are in, once."""

    half_way = False

    def __init__(self) -> None:
        self._now = False

    def observe(self, event: Event) -> None:
        if isinstance(event, ReadingsIn) and event.share >= 0.5 and self.half_way:
            self._now, self.half_way = True, False

    def check(self) -> None:
        if self._now:
            self._now = False
            raise Interrupted
