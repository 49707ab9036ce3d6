"""Eye movements: what they should look like, and what four real ones look like."""

import numpy as np
import pytest

from psog.errors import SimulationError
from psog.sim.blinks import draw_blink
from psog.sim.drift import Drift
from psog.sim.movement import BLINK, FIXATION, SACCADE, EyeMovement
from psog.sim.saccades import draw_saccade, duration_s, peak_velocity_deg_s
from psog.sim.tasks import viewer
from psog.third_party import read_eyelink_trace
from tests.data_paths import gaze_trace, needs_shared_data

RATE_HZ = 1000.0


def stretches(mask):
    """(start, stop) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return list(zip(edges[::2], edges[1::2], strict=True))


def saccade_figures(gaze, event):
    """(n, 3) amplitude (°), peak speed (°/s), duration (s) of labelled saccades away from lost samples."""
    found = []
    for start, stop in stretches(event == SACCADE):
        part = gaze[max(start - 10, 0) : stop + 10].astype(float)
        if np.isnan(part).any() or (event[max(start - 50, 0) : stop + 50] == BLINK).any():
            continue
        smooth = np.stack([np.convolve(part[:, k], np.ones(5) / 5, "valid") for k in (0, 1)], axis=1)
        speed = np.linalg.norm(np.diff(smooth, axis=0), axis=1) * RATE_HZ
        amplitude = np.linalg.norm(gaze[stop - 1].astype(float) - gaze[start])
        found.append((amplitude, speed.max(), (stop - start) / RATE_HZ))
    return np.array(found)


def free_viewing(seconds=60, seed=3):
    return viewer("viewing", RATE_HZ, (20.0, 15.0), seed).advance(int(seconds * RATE_HZ))


@pytest.mark.parametrize("amplitude", [0.3, 1.0, 5.0, 12.0, 25.0])
def test_saccades_lie_on_the_main_sequence(amplitude):
    random = np.random.default_rng(0)
    t = np.arange(0, 0.2, 1e-4)
    peaks, durations = [], []
    for _ in range(200):
        saccade = draw_saccade(random, np.zeros(2), np.array([0.6, -0.8]) * amplitude)
        path = np.linalg.norm(saccade.at(t), axis=1)
        peaks.append(np.diff(path).max() / 1e-4)
        durations.append(saccade.duration_s)
        assert path[-1] == pytest.approx(amplitude)
    assert np.median(peaks) == pytest.approx(peak_velocity_deg_s(amplitude), rel=0.04)
    assert np.median(durations) == pytest.approx(duration_s(amplitude), rel=0.04)


def test_long_saccades_peak_early():
    random = np.random.default_rng(0)
    t = np.linspace(0, 1, 1001)
    when = []
    for amplitude in (2.0, 20.0):
        saccade = draw_saccade(random, np.zeros(2), np.array([amplitude, 0.0]))
        when.append(np.diff(saccade.at(t * saccade.duration_s)[:, 0]).argmax() / 1000)
    assert when[1] < when[0] - 0.1


@needs_shared_data
@pytest.mark.parametrize(("low", "high"), [(2.0, 5.0), (5.0, 12.0), (12.0, 20.0), (20.0, 30.0)])
def test_saccades_are_as_fast_and_long_as_in_real_traces(low, high):
    """Medians over an amplitude band, each relative to the main sequence at its own amplitude."""

    def against_the_formula(figures):
        band = figures[(figures[:, 0] >= low) & (figures[:, 0] < high)]
        assert len(band) >= 10
        return (
            np.median(band[:, 1] / peak_velocity_deg_s(band[:, 0])),
            np.median(band[:, 2] / duration_s(band[:, 0])),
        )

    traces = [read_eyelink_trace(gaze_trace(number)) for number in (1, 2, 3, 4)]
    real = np.concatenate([saccade_figures(trace.gaze_deg, trace.event) for trace in traces])
    made = free_viewing(seconds=200)
    simulated = saccade_figures(made.gaze_deg, made.event)
    np.testing.assert_allclose(against_the_formula(simulated), against_the_formula(real), rtol=0.2)


@needs_shared_data
def test_fixations_are_as_steady_as_in_real_traces():
    def dispersion(gaze, event):
        runs = [gaze[a + 20 : b - 20] for a, b in stretches(event == FIXATION) if b - a > 200]
        return np.median([np.sqrt(run.astype(float).var(axis=0).sum()) for run in runs])

    traces = [read_eyelink_trace(gaze_trace(number)) for number in (1, 2, 3, 4)]
    real = [dispersion(trace.gaze_deg, trace.event) for trace in traces]
    made = free_viewing()
    assert 0.7 * min(real) < dispersion(made.gaze_deg, made.event) < 1.3 * max(real)


def test_movement_does_not_depend_on_how_it_is_asked_for():
    def run(steps):
        movement = EyeMovement(1, RATE_HZ)
        parts = []
        for index, step in enumerate(steps):
            if index == 5:
                movement.look_at((10.0, 5.0))
            parts.append(movement.advance(step))
        return [
            np.concatenate([getattr(p, name) for p in parts]) for name in ("gaze_deg", "openness", "event")
        ]

    for one, other in zip(run([100] * 5 + [20_000]), run([100] * 5 + [1, 0, 999] * 20), strict=True):
        np.testing.assert_array_equal(one[: len(other)], other[: len(one)])


def test_the_eye_goes_where_the_target_is_after_its_latency():
    starts, misses = [], []
    for index in range(60):
        movement = EyeMovement(5, RATE_HZ, index=index)
        movement.look_at((12.0, -6.0))
        made = movement.advance(1000)
        unblinking = made.openness == 1
        starts.append(np.argmax((made.gaze_deg[:, 0] > 1) & unblinking) / RATE_HZ)
        misses.extend(made.gaze_deg[unblinking][-1:] - [12.0, -6.0])
    assert 0.18 < np.median(starts) < 0.25
    assert min(starts) > 0.12
    assert 0.2 < np.std(misses) < 0.4


def test_fixation_returns_to_its_goal_for_minutes():
    movement = EyeMovement(2, RATE_HZ)
    movement.look_at((5.0, 5.0))
    movement.advance(2000)
    made = movement.advance(120_000)
    away = made.gaze_deg[made.openness == 1] - [5.0, 5.0]
    assert np.abs(away).max() < 2


def test_blinks_come_and_last_as_people_blink():
    made = [EyeMovement(7, RATE_HZ, index=k).advance(60_000) for k in range(30)]
    runs = [stretches(samples.event == BLINK) for samples in made]
    durations = [stop - start for run in runs for start, stop in run]
    assert 8 < len(durations) / 30 < 21
    assert np.median(durations) == pytest.approx(180, rel=0.1)
    assert all(samples.openness.min() < 0.01 for samples in made)
    assert all((samples.openness[samples.event != BLINK] == 1).all() for samples in made)


def test_a_lid_closes_faster_than_it_opens_and_the_eye_dips():
    blink = draw_blink(np.random.default_rng(1))
    t = np.arange(0, blink.duration_s, 1e-3)
    openness = blink.openness(t)
    shut = openness < 0.5
    assert np.argmax(shut) < len(t) - np.argmax(shut[::-1]) - shut.sum() + 20
    assert openness[0] == pytest.approx(1)
    assert openness[-1] == pytest.approx(1, abs=0.02)
    dip = blink.offset_deg(t)
    assert 1 <= np.linalg.norm(dip, axis=1).max() <= 5
    assert (dip <= 0).all()


def test_drift_has_its_spread_and_memory():
    drift = Drift(np.random.default_rng(0), RATE_HZ, sd=0.5, time_s=0.1, axes=2).advance(400_000)
    np.testing.assert_allclose(drift.std(axis=0), 0.5, rtol=0.1)
    lagged = [np.corrcoef(drift[:-lag, 0], drift[lag:, 0])[0, 1] for lag in (5, 100, 1000)]
    assert lagged[0] > 0.98
    assert 0.25 < lagged[1] < 0.6
    assert abs(lagged[2]) < 0.1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: EyeMovement(0, 0.0),
        lambda: EyeMovement(-1, RATE_HZ),
        lambda: EyeMovement(0, RATE_HZ).advance(-1),
        lambda: EyeMovement(0, RATE_HZ).look_at((np.nan, 0.0)),
    ],
)
def test_impossible_movements_are_refused(wrong):
    with pytest.raises(SimulationError, match="cannot"):
        wrong()
