"""Leaving a target out: the closed form is what fitting again without it gives."""

import numpy as np
import pytest

from psog.net.left_out import leave_targets_out
from psog.net.ridge import solve_head


def calibration(seed, counts=(4, 4, 4, 3, 1, 4, 2), width=12):
    """Features, targets, which target, prior: samples of a target lie close together."""
    rng = np.random.default_rng(seed)
    target = np.repeat(np.arange(len(counts)), counts)
    places = rng.normal(size=(len(counts), width))
    features = places[target] + 0.1 * rng.normal(size=(len(target), width))
    target_deg = 10 * rng.normal(size=(len(counts), 2))[target]
    return features, target_deg, target, rng.normal(size=(3, width + 1))


def rms_deg(weight, features, target_deg):
    error = features @ weight[:, :-1].T + weight[:, -1] - target_deg
    return np.sqrt((error**2).sum(axis=1).mean())


@pytest.mark.parametrize("ridge", [1e-3, 0.1, 10.0])
def test_each_target_is_as_far_off_as_by_a_head_fitted_without_it(ridge):
    features, target_deg, target, prior = calibration(1)
    found = leave_targets_out(features, target_deg, target, prior, ridge)
    for index, deg in enumerate(found.targets_deg):
        rest = target != index
        same_prior = ridge * len(target) / rest.sum()  # nλ in all
        weight = solve_head(features[rest], target_deg[rest], prior, same_prior)
        assert deg == pytest.approx(rms_deg(weight, features[~rest], target_deg[~rest]), rel=1e-9)


def test_the_summary_is_over_targets_and_names_the_worst():
    features, target_deg, target, prior = calibration(2)
    found = leave_targets_out(features, target_deg, target, prior, 0.1)
    assert found.rms_deg == pytest.approx(np.sqrt(np.mean(found.targets_deg**2)))
    assert found.worst_deg == max(found.targets_deg)
    weight = solve_head(features, target_deg, prior, 0.1)
    assert found.after_deg == pytest.approx(rms_deg(weight, features, target_deg))
    assert found.after_deg < found.rms_deg


def test_a_target_alone_is_as_far_off_as_without_a_calibration():
    features, target_deg, _, prior = calibration(3, counts=(4,))
    found = leave_targets_out(features, target_deg, np.zeros(4, int), prior, 0.1)
    assert found.rms_deg == pytest.approx(rms_deg(prior[:2], features, target_deg), rel=1e-9)
