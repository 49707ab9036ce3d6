"""Eye movements: fixations, saccades and blinks, and what is refused."""

import numpy as np
import pytest
from scipy.signal import welch

from psog.errors import SimulationError
from psog.recording import BLINK
from psog.sim.blinks import draw_blink
from psog.sim.drift import Drift
from psog.sim.movement import EyeMovement
from psog.sim.movement_statistics import as_trace, statistics, stretches
from psog.sim.saccades import SETTLED_S, draw_saccade, duration_s, peak_velocity_deg_s
from psog.sim.tremor import TREMOR_SD_DEG, Tremor

RATE_HZ = 1000.0


@pytest.mark.parametrize("distance", [0.3, 1.0, 5.0, 12.0, 25.0])
def test_saccades_lie_on_the_main_sequence_with_their_overshoot(distance):
    random = np.random.default_rng(0)
    t = np.arange(0, 0.25, 1e-4)
    peaks, durations, amplitudes = [], [], []
    for _ in range(200):
        saccade = draw_saccade(random, np.zeros(2), np.array([0.6, -0.8]) * distance)
        path = np.linalg.norm(saccade.at(t), axis=1)
        peaks.append(np.diff(path).max() / 1e-4)
        durations.append(saccade.duration_s)
        amplitudes.append(path.max())
        assert path[-1] == pytest.approx(distance, rel=1e-3)
    amplitude = np.median(amplitudes)
    assert amplitude > distance
    assert np.median(peaks) == pytest.approx(peak_velocity_deg_s(amplitude), rel=0.05)
    assert np.median(durations) == pytest.approx(duration_s(amplitude), rel=0.05)


def test_the_eye_swings_after_a_saccade_and_settles():
    saccade = draw_saccade(np.random.default_rng(2), np.zeros(2), np.array([8.0, 0.0]))
    after = saccade.at(saccade.duration_s + np.linspace(0, SETTLED_S, 701))[:, 0] - 8.0
    assert after[0] == pytest.approx(saccade.overshoot_deg[0])
    trough = after.argmin()
    assert 0.010 < trough * 1e-4 < 0.016
    assert -0.5 < after[trough] / after[0] < -0.3
    assert abs(after[-1]) < 0.02 * after[0]
    assert np.abs(np.diff(saccade.at(saccade.duration_s + np.array([-1e-6, 1e-6])), axis=0)).max() < 1e-3


def test_long_saccades_peak_early():
    random = np.random.default_rng(0)
    t = np.linspace(0, 1, 1001)
    when = []
    for amplitude in (2.0, 20.0):
        saccade = draw_saccade(random, np.zeros(2), np.array([amplitude, 0.0]))
        when.append(np.diff(saccade.at(t * saccade.duration_s)[:, 0]).argmax() / 1000)
    assert when[1] < when[0] - 0.1


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


def test_an_eye_dips_towards_its_own_nose_in_a_blink():
    right, left = (EyeMovement(7, RATE_HZ, side=side).advance(60_000) for side in (1, -1))
    np.testing.assert_array_equal(right.openness, left.openness)
    apart = (right.gaze_deg - left.gaze_deg)[right.openness < 0.1]
    assert (apart[:, 0] < -0.3).all()
    np.testing.assert_allclose(apart[:, 1], 0, atol=1e-4)


def test_microsaccades_come_and_reach_as_they_should():
    movements = [EyeMovement(11, RATE_HZ, index=k) for k in range(20)]
    made = [movement.advance(60_000) for movement in movements]
    figures = statistics([as_trace(samples, RATE_HZ, "still") for samples in made])
    assert 0.8 < figures.microsaccades_per_s < 1.6
    assert 0.35 < np.median(figures.amplitude_deg) < 0.55
    assert np.quantile(figures.amplitude_deg, 0.99) < 1.2


def test_tremor_is_small_and_fast():
    made = Tremor(np.random.default_rng(0), RATE_HZ).advance(200_000)
    np.testing.assert_allclose(made.std(axis=0), TREMOR_SD_DEG, rtol=0.05)
    frequency, power = welch(made[:, 0], RATE_HZ, nperseg=1024)
    band = (frequency > 50) & (frequency < 100)
    assert power[band].sum() / power.sum() > 0.5
    assert 65 < frequency[power.argmax()] < 85


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
        lambda: EyeMovement(0, RATE_HZ, side=0.5),
        lambda: EyeMovement(0, RATE_HZ).look_at((np.nan, 0.0)),
        lambda: EyeMovement(0, RATE_HZ).look_at((1.0, 0.0), distance_m=0.0),
    ],
)
def test_impossible_movements_are_refused(wrong):
    with pytest.raises(SimulationError, match="cannot"):
        wrong()
