"""When the eye has arrived: readings are taken only while it rests on the target."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class StillnessRule:
    """When an eye counts as resting on a target that has just appeared. All times are device time.

    Attributes:
        earliest_us: nobody has arrived sooner. A saccade begins about 200 ms after its target appears
            and one of 40° lasts 2.42·40 + 12.8 = 110 ms (main sequence, facts table "Eye and optics").
        window_us: how long the eye has to rest.
        drift_deg: largest distance between the mean gaze of the window's two halves. Means of 50 readings
            hide the noise of single ones; a saccade or a blink moves them by degrees.
        latest_us: give up and tell the wearer; three blinks in a row (facts: 5–95 % 137–242 ms) and a
            second look fit in.
    """

    earliest_us: int = 400_000
    window_us: int = 100_000
    drift_deg: float = 0.5
    latest_us: int = 4_000_000


class StillnessDetector:
    """Watches the gaze after a target appeared and says when it rests."""

    def __init__(self, rule: StillnessRule) -> None:
        self._rule = rule
        self._start_us: int | None = None
        self._last_us = 0
        self._window: deque[tuple[int, float, float]] = deque()
        self.readings = 0
        self.closed = 0

    def add(self, t_us: int, gaze_h_deg: float, gaze_v_deg: float, *, valid: bool) -> bool:
        """Take one sample; true when the eye is at rest."""
        if self._start_us is None:
            self._start_us = t_us
        self._last_us = t_us
        self.readings += 1
        if not valid:
            self.closed += 1
            self._window.clear()
            return False
        self._window.append((t_us, gaze_h_deg, gaze_v_deg))
        while self._window[0][0] < t_us - self._rule.window_us:
            self._window.popleft()
        return (
            self.waited_us >= self._rule.earliest_us and self._full and self._drift_deg < self._rule.drift_deg
        )

    @property
    def overdue(self) -> bool:
        """The eye has not come to rest in the time allowed."""
        return self.waited_us >= self._rule.latest_us

    @property
    def waited_us(self) -> int:
        """Device time since the first sample."""
        return 0 if self._start_us is None else self._last_us - self._start_us

    @property
    def _full(self) -> bool:
        # The oldest sample kept lies within one sample interval of the window's beginning.
        return len(self._window) > 2 and self._last_us - self._window[0][0] >= 0.9 * self._rule.window_us

    @property
    def _drift_deg(self) -> float:
        samples = list(self._window)
        half = len(samples) // 2
        first_h, first_v = _centre(samples[:half])
        second_h, second_v = _centre(samples[half:])
        return float(((first_h - second_h) ** 2 + (first_v - second_v) ** 2) ** 0.5)


def _centre(samples: list[tuple[int, float, float]]) -> tuple[float, float]:
    count = len(samples)
    return sum(s[1] for s in samples) / count, sum(s[2] for s in samples) / count
