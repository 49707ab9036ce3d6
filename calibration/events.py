"""What a session tells whoever follows it (a terminal, a page, a log): what has just happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psog.calibration.flow import State
from psog.calibration.quality import Quality, TargetQuality
from psog.calibration.targets import Target


@dataclass(frozen=True)
class TargetShown:
    """The wearer is asked to look; `number` counts from 1 among the `total` targets of its purpose."""

    target: Target
    number: int
    total: int


@dataclass(frozen=True)
class EyeSettled:
    """The eye rests on the target, `waited_us` of device time after it appeared; readings are taken now."""

    target: Target
    waited_us: int


@dataclass(frozen=True)
class ReadingsIn:
    """So much of a target's readings is in, 0 … 1; told in steps of a twentieth."""

    target: Target
    share: float


@dataclass(frozen=True)
class PointTaken:
    """A calibration target's readings are in: so many used, so many passed over because the eye was closed,
    because the sensors had too much light, or because the eye moved.

    `rms_s2s_deg` and `std_deg` are the precision of the uncalibrated gaze meanwhile; None when too few
    samples of it arrived.
    """

    target: Target
    used: int
    rejected: int
    saturated: int
    moving: int
    rms_s2s_deg: float | None
    std_deg: float | None


@dataclass(frozen=True)
class Fitted:
    """The device fitted the head; rms errors on the calibration readings, without and with it.

    `left_out_deg` is the rms over the targets of how far off each would have been, had it not been used;
    `left_out_worst_deg` that of the worst; `in_use_deg` the error of what is in use on the same readings.
    `unexplained` and `verdict`: psog.device.messages.TUNE_RESULT.
    """

    samples: int
    targets: int
    before_deg: float
    after_deg: float
    left_out_deg: float
    left_out_worst_deg: float
    in_use_deg: float
    unexplained: float
    verdict: int


@dataclass(frozen=True)
class PointJudged:
    """A validation target's samples are in, by the head in use and by the fitted one."""

    before: TargetQuality
    after: TargetQuality


@dataclass(frozen=True)
class Judged:
    """All validation targets together."""

    before: Quality
    after: Quality


@dataclass(frozen=True)
class Decided:
    """The fitted head is stored in the device, or forgotten.

    `refusal` says why it could not have been kept; empty where it could.
    """

    accepted: bool
    refusal: str


@dataclass(frozen=True)
class Stands:
    """Where a guided calibration stands now. `note`: why it is paused or away, or why its result cannot be
    kept; empty where all is well."""

    state: State
    note: str


@dataclass(frozen=True)
class CommandRefused:
    """A command cannot be followed now."""

    why: str


@dataclass(frozen=True)
class Abandoned:
    """The session ended without a decision; the device keeps what it had.

    `reason` is the error that ended it; empty when the wearer or the caller stopped it.
    """

    reason: str


Event = (
    TargetShown
    | EyeSettled
    | ReadingsIn
    | PointTaken
    | Fitted
    | PointJudged
    | Judged
    | Decided
    | Stands
    | CommandRefused
    | Abandoned
)
Observer = Callable[[Event], None]
