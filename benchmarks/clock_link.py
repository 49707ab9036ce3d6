"""A link with jitter and a device clock that drifts, to see what the host makes of the device's times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from psog.device.clock import CLOCK_MODULUS, DeviceClock, Probe
from psog.sim.streams import stream

Jitter = Literal["uniform", "exponential", "half-normal", "none"]
"""Of one passage, beyond the shortest: uniform up to, exponential with the mean of, or the magnitude of a
normal with the standard deviation of the link's jitter."""
_SHORTEST_S = 0.001
"""A passage without jitter: a USB frame (a weak value; only the difference of the two ways would matter)."""
_SAMPLE_EVERY_S = 0.01
_FIRST_EVERY_S, _EVERY_S, _FIRST = 0.01, 0.05, 300  # as psog.device.timekeeping asks
_BEGIN_S = 1e5  # of the host's clock
_SETTLED_S = 1.0


@dataclass(frozen=True)
class JitteryLink:
    """Passages to the device and back, each with a jitter of its own.

    Attributes:
        jitter_s: its size, see Jitter.
        drift: of the device's clock against the host's, 1e-4 for 100 ppm.
        begin_us: what the device's clock shows at the start; it wraps at 2^64.
    """

    to_device: Jitter = "uniform"
    to_host: Jitter = "uniform"
    jitter_s: float = 0.010
    drift: float = 100e-6
    begin_us: int = 0

    def device_us(self, time_s: float) -> int:
        """What the device's clock shows `time_s` after the start."""
        return (self.begin_us + int(time_s * (1 + self.drift) * 1e6)) % CLOCK_MODULUS

    def errors_s(self, seconds: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Samples every 10 ms, as a program sees them that keeps time.

        Returns:
            (n,) host time given to each sample, less the true one; (n,) the time that was given. Those of
            the first second are left out.
        """
        random = stream(seed, "jittery link")
        clock, time_s, probes, next_s = DeviceClock(), 0.0, 0, _SAMPLE_EVERY_S
        given: list[float] = []
        errors: list[float] = []
        while time_s < seconds:
            there_s, back_s = self._passage(random, self.to_device), self._passage(random, self.to_host)
            answered_s = time_s + there_s + back_s
            probe = Probe(_BEGIN_S + time_s, _BEGIN_S + answered_s, self.device_us(time_s + there_s))
            time_s = max(answered_s, time_s + (_FIRST_EVERY_S if probes < _FIRST else _EVERY_S))
            probes += 1
            while next_s < answered_s:
                self._give(clock, next_s, errors, given)
                next_s += _SAMPLE_EVERY_S
            clock.add(probe)
            while next_s < time_s:
                self._give(clock, next_s, errors, given)
                next_s += _SAMPLE_EVERY_S
        return np.array(errors), np.array(given)

    def _give(self, clock: DeviceClock, sample_s: float, errors: list[float], given: list[float]) -> None:
        """A sample of this time arrives."""
        host_s = clock.host_time_s(self.device_us(sample_s), _BEGIN_S + sample_s + _SHORTEST_S)
        if host_s is not None and sample_s >= _SETTLED_S:
            given.append(host_s)
            errors.append(host_s - _BEGIN_S - sample_s)

    def _passage(self, random: np.random.Generator, kind: Jitter) -> float:
        draw: dict[Jitter, Callable[[], float]] = {
            "uniform": lambda: random.uniform(0, self.jitter_s),
            "exponential": lambda: random.exponential(self.jitter_s),
            "half-normal": lambda: abs(random.normal(0, self.jitter_s)),
            "none": lambda: 0.0,
        }
        return _SHORTEST_S + float(draw[kind]())
