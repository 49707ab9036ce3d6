"""Data quality of signals whose quality is known, and beside the package ETDQualitizer."""

import ETDQualitizer
import numpy as np
import pytest

from psog.errors import ShapeError
from psog.metrics import (
    accuracy,
    accuracy_by,
    angular_error,
    cells,
    latency,
    lost_samples,
    offset,
    precision_bcea,
    precision_rms_s2s,
    precision_std,
)

NAN = np.nan


def looking_around(t_s: np.ndarray) -> np.ndarray:
    """(n, 2) gaze at any times: ten smooth saccades of 40 ms or so over 5 s."""
    random = np.random.default_rng(4)
    begins, steps = np.arange(0.3, 5, 0.48), random.uniform(-12, 12, (10, 2))
    return (np.tanh((t_s[:, None] - begins) / 0.01)[..., None] * steps).sum(axis=1)


def test_error_is_the_euclidean_distance():
    assert angular_error(np.array([[3.0, 4.0], [0, 0]]), np.zeros((2, 2))).tolist() == [5.0, 0.0]


def test_accuracy_of_a_known_set():
    estimated = np.stack([np.arange(101.0), np.zeros(101)], axis=1)
    found = accuracy(estimated, np.zeros((101, 2)))
    assert (found.mean_deg, found.median_deg, found.p95_deg, found.samples) == (50.0, 50.0, 95.0, 101)


def test_what_is_lost_is_no_error():
    estimated = np.array([[3.0, 4.0], [NAN, 0.0], [90.0, 0.0]])
    true = np.array([[0.0, 0.0], [0.0, 0.0], [NAN, NAN]])
    found = accuracy(estimated, true)
    assert (found.mean_deg, found.samples) == (5.0, 1)


def test_accuracy_by_group_is_that_of_each_group_alone():
    random = np.random.default_rng(5)
    estimated, true = random.normal(size=(2, 400, 2))
    true[:7] = NAN
    group = random.integers(0, 3, (400, 1)).astype(float)
    group[20] = NAN
    found = accuracy_by(estimated, true, group)
    assert list(found) == [(0.0,), (1.0,), (2.0,)]
    for (number,), of_group in found.items():
        rows = group[:, 0] == number
        assert of_group == accuracy(estimated[rows], true[rows])


def test_a_group_without_gaze_has_no_accuracy():
    gaze = np.zeros((3, 2))
    lost = np.full((3, 2), NAN)
    assert accuracy_by(gaze, lost, np.zeros((3, 1))) == {}


def test_cells_meet_straight_ahead():
    places = cells(np.array([[0.1, -0.1], [4.9, -4.9], [5.0, 12.0]]), 5.0)
    assert places.tolist() == [[2.5, -2.5], [2.5, -2.5], [7.5, 12.5]]


def test_white_noise_has_rms_s2s_of_root_two_times_its_std():
    gaze = np.random.default_rng(1).normal(0, 0.1, (200_000, 2))
    assert precision_std(gaze) == pytest.approx(0.1 * np.sqrt(2), rel=0.01)
    assert precision_rms_s2s(gaze) / precision_std(gaze) == pytest.approx(np.sqrt(2), rel=0.01)


def test_slow_drift_shows_in_std_but_not_in_rms_s2s():
    gaze = np.stack([np.linspace(0, 1, 1001), np.zeros(1001)], axis=1)
    assert precision_rms_s2s(gaze) == pytest.approx(0.001)
    assert precision_std(gaze) > 0.28


def test_steps_over_a_gap_do_not_count():
    gaze = np.array([[0.0, 0.0], [0.1, 0.0], [NAN, NAN], [9.0, 0.0], [9.1, 0.0]])
    assert precision_rms_s2s(gaze) == pytest.approx(0.1)


@pytest.mark.parametrize("share", [0.68, 0.95])
def test_the_bcea_is_of_an_ellipse_that_holds_its_share(share):
    """Of correlated normal samples: counted inside the ellipse whose area is the BCEA."""
    mixing = np.array([[0.3, 0.0], [0.2, 0.1]])
    gaze = np.random.default_rng(2).normal(size=(100_000, 2)) @ mixing.T
    area = precision_bcea(gaze, share)
    radius = np.sqrt(area / (np.pi * abs(np.linalg.det(mixing))))
    inside = np.linalg.norm(np.linalg.solve(mixing, gaze.T), axis=0) < radius
    assert inside.mean() == pytest.approx(share, abs=0.005)


def test_samples_that_never_came_are_lost_too():
    t_us = np.delete(np.arange(10) * 1000, [3, 4])
    gaze = np.zeros((8, 2))
    gaze[0] = NAN
    assert lost_samples(gaze, t_us) == (3, 10)


@pytest.mark.parametrize("rate_hz", [120.0, 1000.0])
@pytest.mark.parametrize("delay_ms", [-23.4, 0.0, 7.3, 41.0])
def test_latency_is_found_between_samples(rate_hz, delay_ms):
    t_s = np.arange(0, 5.2, 1 / rate_hz)
    found = latency(looking_around(t_s), looking_around(t_s - delay_ms / 1000), rate_hz)
    assert found is not None
    assert found.delay_ms == pytest.approx(delay_ms, abs=0.1 * 1000 / rate_hz)
    assert found.correlation > 0.97


def test_noise_offset_and_gaps_leave_the_latency_alone():
    t_s = np.arange(0, 5.2, 0.001)
    noise = np.random.default_rng(3).normal(0, 0.5, (len(t_s), 2))
    delayed = 0.9 * looking_around(t_s - 0.012) + (4.0, -3.0) + noise
    delayed[1000:1100] = NAN
    found = latency(looking_around(t_s), delayed, 1000.0)
    assert found is not None
    assert found.delay_ms == pytest.approx(12.0, abs=0.3)


@pytest.mark.parametrize("rows", [0, 3, 5000])
def test_an_eye_that_does_not_move_tells_no_latency(rows):
    assert latency(np.zeros((rows, 2)), np.ones((rows, 2)), 1000.0) is None


def test_a_delay_beyond_the_range_is_not_told():
    t_s = np.arange(0, 5.2, 0.001)
    reference, late = looking_around(t_s[:1000]), looking_around(t_s[:1000] - 0.1)
    assert latency(reference, late, 1000.0, most_ms=50) is None


@pytest.mark.parametrize(
    "measure",
    [
        lambda: angular_error(np.zeros((3, 2)), np.zeros((4, 2))),
        lambda: accuracy(np.full((3, 2), NAN), np.zeros((3, 2))),
        lambda: accuracy_by(np.zeros((3, 2)), np.zeros((3, 2)), np.zeros(2)),
        lambda: offset(np.full((3, 2), NAN), np.zeros((3, 2))),
        lambda: precision_rms_s2s(np.zeros((1, 2))),
        lambda: precision_std(np.full((4, 2), NAN)),
        lambda: precision_bcea(np.zeros((2, 2))),
        lambda: latency(np.zeros((3, 2)), np.zeros((4, 2)), 1000.0),
    ],
)
def test_what_cannot_be_measured_is_said(measure):
    with pytest.raises(ShapeError, match=r"expected|none"):
        measure()


class TestBesideETDQualitizer:
    """The same figures as the package of Niehorster et al. 2026, on fixations with noise, drift and gaps."""

    @pytest.fixture(params=range(4))
    def fixation(self, request):
        random = np.random.default_rng(request.param)
        target = random.uniform(-20, 20, 2)
        drift = np.cumsum(random.normal(0, 0.01, (300, 2)), axis=0)
        gaze = target + random.normal(0, 1, 2) + drift + random.normal(0, (0.1, 0.2), (300, 2))
        gaze[random.random(300) < 0.1] = NAN
        t_us = np.arange(300) * 2000
        came = random.random(300) < 0.9
        came[[0, -1]] = True
        return target, gaze[came], t_us[came]

    def theirs(self, fixation):
        _, gaze, t_us = fixation
        return ETDQualitizer.DataQuality(gaze[:, 0], gaze[:, 1], t_us / 1e6, "degrees")

    def test_offset(self, fixation):
        target, gaze, _ = fixation
        ours = offset(gaze, np.broadcast_to(target, gaze.shape))
        assert ours == pytest.approx(self.theirs(fixation).accuracy(*target)[0], rel=1e-9)

    def test_rms_s2s(self, fixation):
        assert precision_rms_s2s(fixation[1]) == pytest.approx(self.theirs(fixation).precision_RMS_S2S()[0])

    def test_std(self, fixation):
        assert precision_std(fixation[1]) == pytest.approx(self.theirs(fixation).precision_STD()[0])

    @pytest.mark.parametrize("share", [0.68, 0.95])
    def test_bcea(self, fixation, share):
        assert precision_bcea(fixation[1], share) == pytest.approx(
            self.theirs(fixation).precision_BCEA(share)[0]
        )

    def test_data_loss(self, fixation):
        _, gaze, t_us = fixation
        lost, expected = lost_samples(gaze, t_us)
        assert 100 * lost / expected == pytest.approx(self.theirs(fixation).data_loss_from_expected(500.0))

    def test_mean_error_near_the_horizon(self):
        """There, Euclidean distance and angle are the same: the mean of one sample's offset each."""
        random = np.random.default_rng(9)
        gaze, true = random.uniform(-1, 1, (2, 50, 2)) * (20, 0.5)
        angles = [
            ETDQualitizer.accuracy(*[np.array([x]) for x in g], *t)[0]
            for g, t in zip(gaze, true, strict=True)
        ]
        assert accuracy(gaze, true).mean_deg == pytest.approx(np.mean(angles), rel=1e-3)
