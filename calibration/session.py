"""A calibration session: from the first target to the decision, whoever draws the targets and asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import TypedDict

from psog.calibration.collect import (
    Seen,
    UnusableTargetError,
    collect_pairs,
    gaze_now,
    take_readings,
    wait_until_still,
)
from psog.calibration.display import Display, NoDisplay
from psog.calibration.events import (
    Abandoned,
    Decided,
    EyeSettled,
    Fitted,
    Observer,
    PointJudged,
    PointTaken,
    ReadingsIn,
    TargetShown,
)
from psog.calibration.interruption import Check, Interrupted, go_on
from psog.calibration.looks import Look
from psog.calibration.refusal import why_not
from psog.calibration.still import StillnessRule
from psog.calibration.targets import Target
from psog.device.client import Client
from psog.device.messages import Stream
from psog.errors import CalibrationError, DeviceError, LinkError, PsogError

FIXATION_S = 0.3
"""How long readings are taken at a target: shorter than the fixations people hold without effort, long
enough that noise of single readings averages out."""


@dataclass(frozen=True)
class Settings:
    """How a session takes its readings.

    Attributes:
        readings: per target, calibration and validation alike.
        patience_s: how long the readings of one target may take before the wearer is told (host time).
        keeps_readings: have the sensors' readings streamed, for `looks`. They can identify people, so only
            where the wearer has a profile made.
    """

    readings: int
    patience_s: float = 10.0
    keeps_readings: bool = False
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


class _Watched(TypedDict):
    seen: Seen
    check: Check


class _Phase(Enum):
    TAKING = "takes calibration targets"
    FITTED = "has fitted the head"
    ENDED = "has ended"


class CalibrationSession:
    """One calibration, step by step, at the pace of whoever calls: `take` … `fit`, `judge` …, `decide`.

    A target can be taken again after `forget`, until `fit`, and judged again until `decide`.

    A context manager. Leaving it before `decide`, in whatever way, has the device forget the unfinished
    calibration and hides the target; the device keeps the calibration it had.

    Args:
        client: an open headset with a model.
        settings: how readings are taken.
        observer: told every event.
        display: draws the targets, beside the headset's own display.
        check: called between readings; a step that it raises Interrupted in leaves no trace.
    Raises (on entering):
        CalibrationError: no model is installed.
    Every step raises LinkError or DeviceError when the headset has gone or refuses.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        observer: Observer,
        *,
        display: Display | None = None,
        check: Check = go_on,
    ) -> None:
        self._client = client
        self._settings = settings
        self._tell = observer
        self._display = display or NoDisplay()
        self._check = check
        self._phase = _Phase.TAKING
        self._calibrated = client.info.calibrated
        self._fitted: Fitted | None = None
        self._judged: dict[Target, PointJudged] = {}
        self._looks: dict[Target, Look] = {}
        self._shows = False

    def __enter__(self) -> CalibrationSession:
        require_model(self._client)
        self.begin_again()
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

    @property
    def looks(self) -> tuple[Look, ...]:
        """Of the calibration targets taken; none unless the settings keep readings."""
        return tuple(self._looks.values())

    def begin_again(self, client: Client | None = None) -> None:
        """Forget every target and the fit, in the device too.

        Args:
            client: the headset, when it was away and has come back.
        """
        if self._phase is _Phase.ENDED:
            self._expect(_Phase.TAKING)
        self._client = client or self._client
        self._phase = _Phase.TAKING
        self._fitted = None
        self._judged.clear()
        self._looks.clear()
        self._client.tune_begin()
        self._client.stream(Stream.GAZE | (Stream.SENSORS if self._settings.keeps_readings else Stream(0)))

    def take(self, target: Target, number: int, total: int) -> PointTaken:
        """Show a calibration target and have the device add its readings once the eye rests on it.

        Raises:
            UnusableTargetError: the eye does not come to rest, or stays closed; the device has forgotten it.
        """
        self._expect(_Phase.TAKING)
        self._show(target, number, total)
        try:
            point, reading = take_readings(self._client, target, *self._limits, **self._watched(target))
        except (Interrupted, UnusableTargetError):
            self.forget(target)
            raise
        if reading is not None:
            self._looks[target] = Look(target.h_deg, target.v_deg, tuple(reading.tolist()))
        self._tell(point)
        return point

    def rest(self) -> None:
        """Show nothing, between targets; what is streamed meanwhile is forgotten."""
        if self._shows:
            self._display.hide()
            self._client.hide_target()
            self._shows = False
        self._client.drop_samples()

    def forget(self, target: Target) -> None:
        """Have the device forget a calibration target that it has taken, or is taking."""
        self._expect(_Phase.TAKING)
        self._client.tune_forget(target.h_deg, target.v_deg)
        self._looks.pop(target, None)

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
            UnusableTargetError: the eye does not come to rest, or stays closed.
        """
        self._expect(_Phase.FITTED)
        self._show(target, number, total)
        point = collect_pairs(self._client, target, *self._limits, **self._watched(target))
        self._judged[target] = point
        self._tell(point)
        return point

    def refusal(self) -> str:
        """Why the fitted head cannot be kept, by the device or by the targets judged; empty when it can."""
        self._expect(_Phase.FITTED)
        assert self._fitted is not None
        return why_not(self._fitted, list(self._judged.values()), calibrated=self._calibrated)

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
        self._shows = True
        self._tell(TargetShown(target, number, total))
        self._display.show(target, self._check)
        self._client.show_target(target.h_deg, target.v_deg)
        waited_us = wait_until_still(self._client, target, self._settings.stillness, started_deg, self._check)
        self._tell(EyeSettled(target, waited_us))

    @property
    def _limits(self) -> tuple[int, float]:
        return self._settings.readings, self._settings.patience_s

    def _watched(self, target: Target) -> _Watched:
        return {"seen": lambda share: self._tell(ReadingsIn(target, share)), "check": self._check}

    def _clear_away(self) -> None:
        self._display.hide()
        self._client.hide_target()
        self._client.stream(Stream(0))

    def _expect(self, phase: _Phase) -> None:
        if self._phase is not phase:
            raise CalibrationError(
                f"this step needs a session that {phase.value}, this one {self._phase.value}; start a new one"
            )
