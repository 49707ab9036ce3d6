"""Photodiodes and emitters: what their data say of them."""

import numpy as np
import pytest

from psog.headset import load_headset
from psog.parts import Lobe


def test_a_lobe_is_one_on_axis_and_nothing_behind_the_part():
    cosine = np.array([1.0, 0.5, 0.0, -0.5])
    np.testing.assert_allclose(Lobe(2.0).at(cosine), [1, 0.25, 0, 0])
    np.testing.assert_allclose(Lobe(0.0).at(cosine), [1, 1, 0, 0])


def test_a_table_is_read_linearly_in_the_angle_and_ends_in_darkness():
    lobe = Lobe(None, (0.0, 30.0, 60.0), (1.0, 0.8, 0.2))
    cosine = np.cos(np.deg2rad([0, 15, 30, 45, 60, 61, 180]))
    np.testing.assert_allclose(lobe.at(cosine), [1, 0.9, 0.8, 0.5, 0.2, 0, 0], atol=1e-12)


@pytest.mark.parametrize(("name", "exponents"), [("ring16", (8, 1)), ("grid15", (58, 1))])
def test_a_headset_without_parts_has_the_lobes_of_its_exponents(name, exponents):
    headset = load_headset(name)
    assert (headset.detector_lobe.exponent, headset.emitter_lobe.exponent) == exponents
