"""What eye movements look like in numbers, by their labels: the same for recorded and for simulated ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.recording import BLINK, FIXATION, OSCILLATION, SACCADE
from psog.sim.movement import EyeSamples
from psog.third_party import GazeTrace

Array = NDArray[np.float64]

MICROSACCADE_DEG = 1.0
"""Saccades below this are counted as microsaccades (R: 0.1 to 1°)."""
SHORTEST_FIXATION_S = 0.2
FIXATION_EDGE_S = 0.02
"""Of a fixation this much at both ends is left out: the eye still settles, or has begun to move."""
_SMOOTHED_S = 0.005
"""Gaze is averaged over this before it is differentiated: the tracker's noise would make peaks."""
_AROUND_S, _CLEAR_S = 0.010, 0.050
"""Samples before and after a saccade that must be known, and that must be free of blinks."""


@dataclass(frozen=True)
class Statistics:
    """Figures of one or more eye movements.

    Attributes:
        amplitude_deg, peak_deg_s, duration_s: (saccades,) from the first to the last labelled sample.
        oscillation_deg: (saccades,) from the highest to the lowest point along the way in the oscillation
            that follows; NaN where none is labelled.
        oscillation_s: (saccades,) how long it is labelled; 0 where it is not.
        dispersion_deg: (fixations,) root of the variances' sum.
        blink_s: (blinks,).
        microsaccades_per_s: saccades below 1°, per second of looking steadily.
    """

    amplitude_deg: Array
    peak_deg_s: Array
    duration_s: Array
    oscillation_deg: Array
    oscillation_s: Array
    dispersion_deg: Array
    blink_s: Array
    microsaccades_per_s: float


def as_trace(samples: EyeSamples, rate_hz: float, name: str) -> GazeTrace:
    """Simulated samples as a tracker without noise would have recorded them."""
    count = len(samples.event)
    return GazeTrace(
        name=name,
        t_us=np.rint(np.arange(count) * (1e6 / rate_hz)).astype(np.int64),
        gaze_deg=samples.gaze_deg,
        valid=np.ones(count, dtype=bool),
        event=samples.event,
    )


def statistics(traces: list[GazeTrace]) -> Statistics:
    """Figures of traces together, by their labels."""
    saccades = np.concatenate([_saccades(trace) for trace in traces])
    dispersion = np.concatenate([_dispersions(trace) for trace in traces])
    blinks = [np.diff(stretches(t.event == BLINK), axis=1)[:, 0] / _rate_hz(t) for t in traces]
    steady_s = sum(np.count_nonzero(trace.event == FIXATION) / _rate_hz(trace) for trace in traces)
    small = np.count_nonzero(saccades[:, 0] < MICROSACCADE_DEG)
    amplitude, peak, duration, oscillation, oscillation_s = saccades.T
    return Statistics(
        amplitude_deg=amplitude,
        peak_deg_s=peak,
        duration_s=duration,
        oscillation_deg=oscillation,
        oscillation_s=oscillation_s,
        dispersion_deg=dispersion,
        blink_s=np.concatenate(blinks),
        microsaccades_per_s=small / max(steady_s, 1e-9),
    )


def stretches(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(n, 2) first and one past the last sample of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return edges.reshape(-1, 2)


def _saccades(trace: GazeTrace) -> Array:
    """(n, 5) amplitude, peak velocity, duration, extent and duration of the oscillation."""
    rate, gaze = _rate_hz(trace), trace.gaze_deg.astype(np.float64)
    around, clear = round(_AROUND_S * rate), round(_CLEAR_S * rate)
    window = max(round(_SMOOTHED_S * rate), 1)
    kernel = np.ones(window) / window
    found = []
    for start, stop in stretches(trace.event == SACCADE):
        part = gaze[max(start - around, 0) : stop + around]
        blinks = (trace.event[max(start - clear, 0) : stop + clear] == BLINK).any()
        way = gaze[stop - 1] - gaze[start]
        amplitude = float(np.linalg.norm(way))
        if blinks or np.isnan(part).any() or amplitude == 0 or len(part) <= window:
            continue
        smooth = np.stack([np.convolve(part[:, k], kernel, "valid") for k in (0, 1)], axis=1)
        peak = np.linalg.norm(np.diff(smooth, axis=0), axis=1).max() * rate
        length = _run_length(trace.event[stop:] == OSCILLATION)
        swing = gaze[stop - 1 : stop + length] @ (way / amplitude)
        extent = np.nan if length == 0 else swing.max() - swing.min()
        found.append((amplitude, peak, (stop - start) / rate, extent, length / rate))
    return np.array(found).reshape(-1, 5)


def _dispersions(trace: GazeTrace) -> Array:
    rate = _rate_hz(trace)
    edge = round(FIXATION_EDGE_S * rate)
    runs = [r for r in stretches(trace.event == FIXATION) if r[1] - r[0] > SHORTEST_FIXATION_S * rate]
    parts = [trace.gaze_deg[start + edge : stop - edge].astype(np.float64) for start, stop in runs]
    return np.array([np.sqrt(part.var(axis=0).sum()) for part in parts if not np.isnan(part).any()])


def _run_length(mask: NDArray[np.bool_]) -> int:
    """How many are True before the first False."""
    return len(mask) if mask.all() else int(np.argmin(mask))


def _rate_hz(trace: GazeTrace) -> float:
    return 1e6 / float(np.median(np.diff(trace.t_us)))
