"""From irradiance to counts."""

import numpy as np
import pytest

from psog.headset import load_headset
from psog.sim.electronics import digitize, gains, noise_counts
from psog.sim.quadrature import FINE
from tests.sim.views import irradiance


@pytest.mark.parametrize("name", ["ring16", "grid15"])
def test_the_nominal_eye_reads_forty_percent(name):
    headset = load_headset(name)
    counts = irradiance(headset, [(0.0, 0.0)], quadrature=FINE)[0] * gains(headset)
    np.testing.assert_allclose(counts, 0.4 * 4096, rtol=1e-4)


def test_noise_follows_from_the_snr_and_is_independent():
    headset = load_headset("ring16").model_copy(
        update={"noise": load_headset("ring16").noise.model_copy(update={"snr": 100.0})}
    )
    readings = digitize(np.full((20_000, 16), 1638.4), headset, np.random.default_rng(0))
    np.testing.assert_allclose(noise_counts(headset), 16.384, rtol=1e-5)
    np.testing.assert_allclose(readings.std(axis=0), 16.384, rtol=0.03)
    assert np.abs(np.corrcoef(readings.T) - np.eye(16)).max() < 0.04


def test_readings_are_whole_counts_within_the_converter():
    headset = load_headset("ring16")
    true = np.linspace(-500, 6000, 1600).reshape(100, 16)
    readings = digitize(true, headset, np.random.default_rng(0))
    assert readings.dtype == np.float32
    assert (readings == np.rint(readings)).all()
    assert (readings.min(), readings.max()) == (0, 4095)
    assert (readings[true > 4200] == 4095).all()
