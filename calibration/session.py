"""A calibration session: from the first target to the decision, whoever draws the targets and asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType

from psog.calibration.collect import (
    TOO_BRIGHT,
    collect_pairs,
    gaze_now,
    precision_of,
    saturates,
    unusable,
    wait_until_still,
)
from psog.calibration.events import (
    Abandoned,
    Decided,
    EyeSettled,
    Fitted,
    Judged,
    Observer,
    PointJudged,
    PointTaken,
    TargetShown,
)
from psog.calibration.quality import Quality
from psog.calibration.refusal import why_not
from psog.calibration.report import CalibrationReport, Wearing
from psog.calibration.still import StillnessRule
from psog.calibration.targets import Target, TargetPlan
from psog.device.client import Client
from psog.device.messages import Stream
from psog.errors import CalibrationError, DeviceError, LinkError, PsogError

FIXATION_S = 0.3
"""How long readings are taken at a target: shorter than the fixations people hold without effort, long
enough that noise of single readings averages out."""

Decide = Callable[[Judged], bool]
"""Whether to keep the fitted head, asked when before and after are known and it is the better one."""


@dataclass(frozen=True)
class Settings:
    """How a session takes its readings.

    Attributes:
        readings: per target, calibration and validation alike.
        patience_s: how long the readings of one target may take before the wearer is told (host time).
    """

    readings: int
    patience_s: float = 10.0
    stillness: StillnessRule = field(default_factory=StillnessRule)

    def __post_init__(self) -> None:
        if self.readings < 2:
            raise CalibrationError(
                f"cannot calibrate with {self.readings} readings per target; take at least 2"
            )


def require_model(client: Client) -> None:
    """Raise CalibrationError when the headset has no model to calibrate."""
    if not client.info.headset:
        raise CalibrationError(
            f"the headset at {client.port} has no model to calibrate; install one with psog flash"
        )


class _Phase(Enum):
    TAKING = "takes calibration targets"
    FITTED = "has fitted the head"
    ENDED = "has ended"


class CalibrationSession:
    """One calibration, step by step, at the pace of whoever calls: `take` … `fit`, `judge` …, `decide`.

    A context manager. Leaving it before `decide`, in whatever way, has the device forget the unfinished
    calibration and hides the target; the device keeps the calibration it had.

    Args:
        client: an open headset with a model.
        settings: how readings are taken.
        observer: told every event.
    Raises (on entering):
        CalibrationError: no model is installed.
    Every step raises LinkError or DeviceError when the headset has gone or refuses.
    """

    def __init__(self, client: Client, settings: Settings, observer: Observer) -> None:
        self._client = client
        self._settings = settings
        self._tell = observer
        self._phase = _Phase.TAKING
        self._calibrated = client.info.calibrated
        self._fitted: Fitted | None = None
        self._judged: list[PointJudged] = []

    def __enter__(self) -> CalibrationSession:
        require_model(self._client)
        self._client.tune_begin()
        self._client.stream(Stream.GAZE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._phase is _Phase.ENDED:
            return
        self._phase = _Phase.ENDED
        try:
            self._client.tune_discard()
            self._clear_away()
        except (LinkError, DeviceError):
            pass  # it has gone; an unfinished calibration lives in its RAM only
        self._tell(Abandoned(str(error) if isinstance(error, PsogError) else ""))

    def take(self, target: Target, number: int, total: int) -> PointTaken:
        """Show a calibration target and have the device add its readings once the eye rests on it.

        Raises:
            CalibrationError: the eye does not come to rest, or stays closed.
        """
        self._expect(_Phase.TAKING)
        self._show(target, number, total)
        try:
            progress = self._client.tune_target(
                target.h_deg, target.v_deg, self._settings.readings, timeout_s=self._settings.patience_s
            )
        except LinkError:
            # Either the headset has gone, and this raises again, or the eye is closed, and this says so.
            self._client.hello()
            found = TOO_BRIGHT if saturates(self._client) else "the eye was mostly closed"
            raise unusable(f"{found} for {self._settings.patience_s:g} s", target) from None
        rms_s2s_deg, std_deg = precision_of(self._client, self._settings.readings)
        point = PointTaken(target, *progress, rms_s2s_deg, std_deg)
        self._tell(point)
        return point

    def fit(self) -> Fitted:
        """Have the device fit the head to the targets taken; it streams as the trial head from now on.

        Raises:
            DeviceError: too few targets or readings.
        """
        self._expect(_Phase.TAKING)
        self._fitted = fitted = Fitted(*self._client.tune_solve())
        self._client.stream(Stream.GAZE | Stream.TRIAL)
        self._phase = _Phase.FITTED
        self._tell(fitted)
        return fitted

    def judge(self, target: Target, number: int, total: int) -> PointJudged:
        """Show a validation target and measure both heads on the same readings.

        Raises:
            CalibrationError: the eye does not come to rest, or stays closed.
        """
        self._expect(_Phase.FITTED)
        self._show(target, number, total)
        point = collect_pairs(self._client, target, self._settings.readings, self._settings.patience_s)
        self._judged.append(point)
        self._tell(point)
        return point

    def refusal(self) -> str:
        """Why the fitted head cannot be kept, by the device or by the targets judged; empty when it can."""
        self._expect(_Phase.FITTED)
        assert self._fitted is not None
        return why_not(self._fitted, self._judged, calibrated=self._calibrated)

    def decide(self, *, accept: bool) -> Decided:
        """Have the device store the fitted head and use it, unless there is a `refusal`; or forget it. Ends
        the session."""
        refusal = self.refusal()
        decided = Decided(accept and not refusal, refusal)
        if decided.accepted:
            self._client.tune_accept()
        else:
            self._client.tune_discard()
        self._phase = _Phase.ENDED
        self._clear_away()
        self._tell(decided)
        return decided

    def _show(self, target: Target, number: int, total: int) -> None:
        started_deg = gaze_now(self._client)
        self._client.show_target(target.h_deg, target.v_deg)
        self._tell(TargetShown(target, number, total))
        waited_us = wait_until_still(self._client, target, self._settings.stillness, started_deg)
        self._tell(EyeSettled(target, waited_us))

    def _clear_away(self) -> None:
        self._client.hide_target()
        self._client.stream(Stream(0))

    def _expect(self, phase: _Phase) -> None:
        if self._phase is not phase:
            raise CalibrationError(
                f"this step needs a session that {phase.value}, this one {self._phase.value}; start a new one"
            )


def run_session(
    client: Client, plan: TargetPlan, settings: Settings, decide: Decide, observer: Observer
) -> CalibrationReport:
    """A whole session in order: take every target, fit, judge, decide. Raises as CalibrationSession."""
    info = client.info
    began_s = time.monotonic()
    with CalibrationSession(client, settings, observer) as session:
        taken = [
            session.take(target, number, len(plan.calibration))
            for number, target in enumerate(plan.calibration, start=1)
        ]
        fitted = session.fit()
        points = [
            session.judge(target, number, len(plan.validation))
            for number, target in enumerate(plan.validation, start=1)
        ]
        seconds = time.monotonic() - began_s
        judged = Judged(
            before=Quality(tuple(point.before for point in points)),
            after=Quality(tuple(point.after for point in points)),
        )
        observer(judged)
        decided = session.decide(accept=not session.refusal() and decide(judged))
    return CalibrationReport(
        wearing=Wearing(info.headset, info.board, info.model_crc32, info.calibrated),
        plan=plan,
        taken=tuple(taken),
        fitted=fitted,
        before=judged.before,
        after=judged.after,
        accepted=decided.accepted,
        refusal=decided.refusal,
        seconds=seconds,
    )
