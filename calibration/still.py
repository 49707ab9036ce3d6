"""When the eye has arrived: readings are taken only while it rests on the target.

Whether it rests the device says of every reading (GazeFlag.STILL); where, is asked here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Gaze = tuple[float, float]


@dataclass(frozen=True)
class StillnessRule:
    """When an eye counts as resting on a target that has just appeared. All times are device time.

    Attributes:
        earliest_us: nobody has arrived sooner. A saccade begins about 200 ms after its target appears
            and one of 40° lasts 2.42·40 + 12.8 = 110 ms (main sequence, docs/movement.md).
        moved_deg: the eye has to rest at least this far from where it was before, as the head in use sees
            it: without this, a saccade that comes late would be taken for one that is over. Targets are
            farther than that from each other.
        unmoved_us: after this it counts as having been there already.
        latest_us: give up and tell the wearer; three blinks in a row (5–95 % 137–242 ms) and a
            second look fit in.
    """

    earliest_us: int = 400_000
    moved_deg: float = 2.0
    unmoved_us: int = 1_000_000
    latest_us: int = 4_000_000


class Arrival:
    """Follows the gaze after a target appeared and says when it rests there.

    Args:
        started_deg: gaze just before; None when it is not known.
    """

    def __init__(self, rule: StillnessRule, started_deg: Gaze | None) -> None:
        self._rule = rule
        self._started_deg = started_deg
        self._start_us: int | None = None
        self._last_us = 0
        self._rested, self._sums_deg = 0, (0.0, 0.0)
        self.readings = 0
        self.closed = 0

    def add(self, t_us: int, gaze_deg: Gaze, *, valid: bool, still: bool) -> bool:
        """Take one sample; true when the eye is at rest on the target."""
        if self._start_us is None:
            self._start_us = t_us
        self._last_us = t_us
        self.readings += 1
        self.closed += not valid
        if not still:
            self._rested, self._sums_deg = 0, (0.0, 0.0)
            return False
        self._rested += 1
        self._sums_deg = self._sums_deg[0] + gaze_deg[0], self._sums_deg[1] + gaze_deg[1]
        return self.waited_us >= self._rule.earliest_us and self._arrived

    @property
    def overdue(self) -> bool:
        """The eye has not come to rest in the time allowed."""
        return self.waited_us >= self._rule.latest_us

    @property
    def waited_us(self) -> int:
        """Device time since the first sample."""
        return 0 if self._start_us is None else self._last_us - self._start_us

    @property
    def _arrived(self) -> bool:
        if self._started_deg is None or self.waited_us >= self._rule.unmoved_us:
            return self.waited_us >= self._rule.unmoved_us
        here_deg = self._sums_deg[0] / self._rested, self._sums_deg[1] / self._rested
        return math.dist(here_deg, self._started_deg) > self._rule.moved_deg


def centre(gaze_deg: Iterable[Gaze]) -> Gaze:
    """Mean of at least one gaze."""
    h_deg, v_deg = zip(*gaze_deg, strict=True)
    return sum(h_deg) / len(h_deg), sum(v_deg) / len(v_deg)
