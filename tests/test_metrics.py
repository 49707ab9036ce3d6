"""Accuracy and precision on signals whose values are known."""

import numpy as np
import pytest

from psog.errors import ShapeError
from psog.metrics import accuracy, angular_error, precision_rms_s2s, precision_std


def test_error_is_the_euclidean_distance():
    assert angular_error(np.array([[3.0, 4.0], [0, 0]]), np.zeros((2, 2))).tolist() == [5.0, 0.0]


def test_accuracy_of_a_known_set():
    estimated = np.stack([np.arange(101.0), np.zeros(101)], axis=1)
    found = accuracy(estimated, np.zeros((101, 2)))
    assert (found.mean_deg, found.median_deg, found.p95_deg) == (50.0, 50.0, 95.0)


def test_white_noise_has_rms_s2s_of_root_two_times_its_std():
    gaze = np.random.default_rng(1).normal(0, 0.1, (200_000, 2))
    assert precision_std(gaze) == pytest.approx(0.1 * np.sqrt(2), rel=0.01)
    assert precision_rms_s2s(gaze) / precision_std(gaze) == pytest.approx(np.sqrt(2), rel=0.01)


def test_slow_drift_shows_in_std_but_not_in_rms_s2s():
    gaze = np.stack([np.linspace(0, 1, 1001), np.zeros(1001)], axis=1)
    assert precision_rms_s2s(gaze) == pytest.approx(0.001)
    assert precision_std(gaze) > 0.28


def test_shapes_must_match():
    with pytest.raises(ShapeError, match="expected"):
        angular_error(np.zeros((3, 2)), np.zeros((4, 2)))
