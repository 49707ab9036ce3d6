"""Standardising on the host, by whole numbers: what a gain has done to readings is undone."""

import numpy as np
import pytest

from psog.device.standardising import MOST_GAIN, standardised, wear_means
from psog.errors import ShapeError
from psog.net.integer import Normalisation

OWN = Normalisation(
    np.array([20_000, 30_000, 9_000], np.int32), np.array([9_000, 16_383, 1], np.int32), 15, 2
)
TRAINED = np.array([19_000, 30_000, 8_000])


def steps(normalisation: Normalisation, wire: np.ndarray) -> np.ndarray:
    """The network's input in units of the coarse plane, before rounding and clipping."""
    away = wire - normalisation.offset.astype(float)
    return away * normalisation.multiplier / 2.0**normalisation.shift


@pytest.mark.parametrize("gain", [[0.5, 0.7, 0.3], [1.9, 1.2, 4.0], [1.0, 1.0, 1.0]])
def test_readings_with_other_gains_are_seen_as_those_of_the_training(gain):
    seen = standardised(OWN, np.rint(TRAINED * gain).astype(int), TRAINED)
    wire = np.random.default_rng(1).uniform(0.5, 1.5, (100, 3)) * TRAINED
    before, after = steps(OWN, wire), steps(seen, wire * gain)
    np.testing.assert_allclose(after[:, :2], before[:, :2], atol=0.02, rtol=1e-3)
    assert seen.planes == OWN.planes
    assert seen.multiplier.max() <= 16_383 and seen.multiplier.min() >= 1


def test_a_sensor_that_is_not_known_stays_as_it_is():
    assert wear_means(np.array([[1, 5, 0], [2, 5, 1]], np.uint16)).tolist() == [2, 0, 1]
    assert wear_means(np.zeros((0, 3), np.uint16)).tolist() == [0, 0, 0]
    for means, trained in (
        ([10_000, 0, 8_000], TRAINED),
        ([10_000, 30_000, 8_000], np.array([19_000, 0, 8_000])),
    ):
        seen = standardised(OWN, np.array(means), trained)
        kept = seen.multiplier[1] * 2.0 ** (OWN.shift - seen.shift)
        assert (seen.offset[1], kept) == (OWN.offset[1], pytest.approx(OWN.multiplier[1], rel=1e-4))


def test_gains_are_bounded_and_so_is_the_offset():
    far = standardised(OWN, np.array([60_000, 10, 1]), np.array([1, 30_000, 8_000]))
    near = standardised(OWN, np.array([MOST_GAIN, 7_500, 2_000]), np.array([1, 30_000, 8_000]))
    for one, other in zip((far.offset, far.multiplier), (near.offset, near.multiplier), strict=True):
        np.testing.assert_array_equal(one, other)
    assert far.offset.tolist() == [65_535, 7_500, 2_250]
    assert far.shift == OWN.shift - 2


def test_a_shift_that_is_small_already_leaves_the_gain_that_is_possible():
    own = Normalisation(np.array([100], np.int32), np.array([16_000], np.int32), 4, 2)
    seen = standardised(own, np.array([100]), np.array([200]))
    assert (seen.offset.tolist(), seen.multiplier.tolist(), seen.shift) == ([50], [16_383], 4)


def test_means_of_another_headset_are_refused():
    with pytest.raises(ShapeError, match=r"means have shapes \(2,\) and \(3,\), expected \(3,\) for both"):
        standardised(OWN, np.array([1, 2]), TRAINED)
