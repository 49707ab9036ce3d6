"""The integer normalisation fills the int8 input and refuses sensors that cannot be used."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psog.errors import ModelError
from psog.net.integer import Normalisation
from psog.net.normalise import fit_normalisation, to_steps


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.floats(5000, 55000), st.floats(2, 1500)), min_size=1, max_size=20),
)
def test_fitted_readings_fill_the_input_whatever_their_level_and_spread(seed, sensors):
    rng = np.random.default_rng(seed)
    wire = np.clip(np.stack([rng.normal(mean, spread, 3000) for mean, spread in sensors], axis=1), 1, 65534)
    normalisation = fit_normalisation(wire)
    assert normalisation.multiplier.min() >= 1 and normalisation.multiplier.max() <= 16383
    assert 1 <= normalisation.shift <= 30
    steps = to_steps(normalisation, wire)
    assert (np.abs(steps) > 127).mean() < 0.01  # outliers alone are clipped
    assert np.abs(steps).max(axis=0).min() > 90  # no sensor wastes more than half a bit


def test_training_sees_the_steps_the_device_computes():
    rng = np.random.default_rng(3)
    wire = np.rint(rng.uniform(2e4, 4e4, (5000, 4)))
    normalisation = fit_normalisation(wire)
    device = normalisation(wire.astype(np.uint16))
    expected = np.clip(np.floor(to_steps(normalisation, wire) + 0.5), -128, 127)
    np.testing.assert_array_equal(device[..., 0], expected)


def test_two_planes_together_are_eight_times_as_fine():
    wire = np.random.default_rng(4).uniform(2e4, 4e4, (5000, 4)).round()
    normalisation = fit_normalisation(wire, planes=2)
    coarse, residual = np.moveaxis(normalisation(wire.astype(np.uint16)).astype(float), -1, 0)
    steps = (wire - normalisation.offset) * normalisation.multiplier / 2.0**normalisation.shift
    fine = np.floor(8 * steps + 0.5)
    np.testing.assert_array_equal(8 * coarse + residual, fine)
    assert set(np.unique(residual)) == set(range(-4, 4))


def test_two_planes_reach_a_little_beyond_one():
    normalisation = Normalisation(np.array([30_000], np.int32), np.array([1], np.int32), 7, planes=2)
    wire = np.array([[30_000 + 128 * 140]], np.uint16)
    assert normalisation(wire).tolist() == [[[127, 8 * 13]]]
    assert normalisation(np.array([[65535]], np.uint16)).tolist() == [[[127, 127]]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda wire: wire.__setitem__((4, 1), np.nan), "sensor 1 is not a number in row 4"),
        (lambda wire: wire.__setitem__((slice(0, 300), 2), 65535), "sensor 2 is saturated in 30 %"),
        (lambda wire: wire.__setitem__((slice(None), 0), 31000), "sensor 0 reads 31000 throughout"),
    ],
)
def test_unusable_sensors_are_named(spoil, message):
    wire = np.random.default_rng(0).uniform(1e4, 5e4, (1000, 3))
    spoil(wire)
    with pytest.raises(ModelError, match=message):
        fit_normalisation(wire)
