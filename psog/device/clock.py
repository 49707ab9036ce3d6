"""The device's clock in the host's time, from the times of questions and answers.

A probe is a question that left the host at `sent_s` and was answered with the device's time `t_us`; the
answer arrived at `received_s` (both time.monotonic). Whatever the ways there and back took, the host's time
at `t_us` lay between the two. So the line `host = a + b · device` has every probe's `sent_s` below and every
`received_s` above it. Of the lines that do, the one is taken that keeps the largest distance to both sides:

- the smallest delay in each direction counts, as in NTP's clock filter (RFC 5905, section 10, takes the
  sample of smallest round trip), but each direction has its own sample, since few round trips are short in
  both;
- the slope is found with it, with a little preference for 1, as the skew in Moon, Skelly and Towsley,
  "Estimation and removal of clock skew from network delay measurements" (INFOCOM 1999), whose line bounds one
  direction.

The distance is a concave function of the slope, so a golden-section search finds it. What is left is half
the difference of the smallest delays there and back, which no method can see from one end.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

CLOCK_MODULUS = 1 << 64
MOST_DRIFT = 300e-6
"""Two crystals of ±100 ppm, and as much again for age and heat (a weak value). A slope is looked for
within it, so a few probes in a short time cannot bring the line far off."""
STEP_S = 0.02
"""A probe that contradicts the line by more is of another clock: the device has started anew, or its sensors
stood still. Twice the jitter that a link is built for (a weak value)."""
PROBES_KEPT = 1200
"""A minute's at twenty a second: long enough to tell 100 ppm under 10 ms of jitter, short enough for a
crystal that warms up (a weak value)."""
_MANY = 300
_NEW_AT_ONCE = 10
"""From so many probes on, the line is fitted to so many new ones at once: half a second's turn it by
nothing, and a fit takes 1.3 ms of the computer, twenty a second 2.5 % of a core (weak values)."""
_LEVER_S = 1.5
"""What a slope other than 1 must gain in distance, per unit: with a few seconds of probes jitter would gain
more by turning the line than drift does (a weak value; 5 gives 1.5 times the error in simulated links)."""
_LEAST_RATE = 0.5
"""How slowly given times may pass, against the device's, while an estimate that was too late is corrected."""
_BACKWARDS_US = 1_000_000
"""Samples of one clock come in order but for milliseconds; what lies further back is another clock's."""
_SECTIONS = 24  # the golden section's 24th power of 600 ppm is 6e-9: 0.4 µs in a minute
_GOLDEN = (math.sqrt(5) - 1) / 2


class Probe(NamedTuple):
    """A question's way: left at `sent_s`, device time `t_us` in the answer, arrived at `received_s`."""

    sent_s: float
    received_s: float
    t_us: int


class Line(NamedTuple):
    """The device's clock against the host's.

    Attributes:
        t_us, host_s: a moment by both clocks.
        rate: host seconds in a second of the device.
        uncertainty_s: how far off it may be if the ways there and back were as unequal as they can have been.
    """

    t_us: int
    host_s: float
    rate: float
    uncertainty_s: float

    def host_time_s(self, t_us: int) -> float:
        """Host time of a device time; the device's counter may have wrapped in between."""
        return self.host_s + self.rate * 1e-6 * elapsed_us(self.t_us, t_us)


def elapsed_us(since_us: int, t_us: int) -> int:
    """From one device time to another, the shorter way round a 64-bit counter: negative for an earlier."""
    half = CLOCK_MODULUS // 2
    return (t_us - since_us + half) % CLOCK_MODULUS - half


def fit_line(probes: deque[Probe] | list[Probe]) -> Line:
    """The line with the largest distance to every probe's bounds; see the module. At least one probe."""
    newest = probes[-1]
    device_s = np.array([elapsed_us(newest.t_us, probe.t_us) for probe in probes]) * 1e-6
    sent_s = np.array([probe.sent_s for probe in probes]) - newest.sent_s
    received_s = np.array([probe.received_s for probe in probes]) - newest.sent_s

    def bounds(rate: float) -> tuple[float, float]:
        along = rate * device_s
        return float((sent_s - along).max()), float((received_s - along).min())

    def distance(rate: float) -> float:
        below, above = bounds(rate)
        return above - below - _LEVER_S * abs(rate - 1)

    low, high = 1 - MOST_DRIFT, 1 + MOST_DRIFT
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = distance(left), distance(right)
    for _ in range(_SECTIONS):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = distance(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = distance(left)
    rate = (low + high) / 2
    below, above = bounds(rate)
    middle_s = newest.sent_s + (below + above) / 2
    return Line(newest.t_us, middle_s, rate, abs(above - below) / 2)


class DeviceClock:
    """Follows one device's clock; the times it gives never go back when the estimate is corrected."""

    def __init__(self) -> None:
        self._probes: deque[Probe] = deque(maxlen=PROBES_KEPT)
        self._line: Line | None = None
        self._stale = False
        self._unused = 0
        self._given_us: int | None = None
        self._given_s = -math.inf

    @property
    def line(self) -> Line | None:
        """The estimate by the probes so far, all but the last few of many; None before the first."""
        if self._stale:
            self._line = fit_line(self._probes)
            self._stale, self._unused = False, 0
        return self._line

    def add(self, probe: Probe) -> bool:
        """Take a probe in; false when it is of another clock than those before, which are then forgotten."""
        line = self.line
        same = line is None or _agrees(line, probe)
        if not same:
            self.forget()
        self._probes.append(probe)
        self._unused += 1
        self._stale = len(self._probes) < _MANY or self._unused >= _NEW_AT_ONCE
        return same

    def forget(self) -> None:
        """Begin with another clock. Times still do not go back."""
        self._probes.clear()
        self._line = None
        self._stale = False
        self._given_us = None

    def host_time_s(self, t_us: int, now_s: float) -> float | None:
        """When, by time.monotonic, the device's clock showed `t_us`; None while that is not known.

        For readings in the order of their times this never decreases, and it is never after `now_s`. An
        estimate that has been corrected downwards is approached by letting time pass at half its pace.
        """
        line = self.line
        if self._given_us is not None and elapsed_us(self._given_us, t_us) < -_BACKWARDS_US:
            self.forget()
            return None
        if line is None:
            return None
        time_s = min(line.host_time_s(t_us), now_s)
        if self._given_us is None:
            time_s = max(time_s, self._given_s)
        else:
            later_us = elapsed_us(self._given_us, t_us)
            if later_us <= 0:
                return self._given_s if later_us == 0 else min(time_s, self._given_s)
            time_s = min(
                max(time_s, self._given_s + _LEAST_RATE * 1e-6 * later_us), max(now_s, self._given_s)
            )
        self._given_us, self._given_s = t_us, time_s
        return time_s


def _agrees(line: Line, probe: Probe) -> bool:
    expected_s = line.host_time_s(probe.t_us)
    return probe.sent_s - STEP_S <= expected_s <= probe.received_s + STEP_S
