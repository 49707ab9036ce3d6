"""From irradiance to ADC counts: gain, noise, saturation and rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim import anatomy
from psog.sim.population import nominal_user
from psog.sim.render import FINE, Optics, pose_rows, render
from psog.sim.state import eye_states

NOMINAL_READING = 0.4
"""Of full scale, for the nominal eye straight ahead: room for a shift of some millimetres and light skin."""


def gains(headset: Headset) -> NDArray[np.float32]:
    """(sensors,) counts per unit of irradiance as from `psog.sim.render.render`.

    Each amplifier is set so that the nominal eye, looking straight ahead in the nominal pose, reads 40 %
    of full scale.
    """
    user = nominal_user()
    states = eye_states(
        user,
        roll_deg=np.zeros(1),
        gaze_deg=np.zeros((1, 1, 2)),
        openness=np.ones((1, 1)),
        pupil_mm=np.full((1, 1), anatomy.PUPIL_MM),
        lid_offset_mm=np.zeros((1, 1, 2)),
    )
    pose = pose_rows(np.zeros((1, 3)), np.zeros(1))
    nominal = render(Optics(headset, FINE), user, pose, states)[0, 0]
    gain: NDArray[np.float64] = NOMINAL_READING * headset.adc.full_scale / nominal.astype(np.float64)
    return gain.astype(np.float32)


def noise_counts(headset: Headset) -> NDArray[np.float32]:
    """(sensors,) standard deviation of one reading: the nominal mean over the headset's SNR."""
    deviation = NOMINAL_READING * headset.adc.full_scale / headset.noise.snr
    return np.full(headset.sensor_count, deviation, dtype=np.float32)


def digitize(
    counts: NDArray[np.floating], headset: Headset, random: np.random.Generator
) -> NDArray[np.float32]:
    """(..., sensors) noise-free counts to one noisy reading of each: whole counts in the ADC's range."""
    noisy = counts + random.standard_normal(counts.shape, dtype=np.float32) * noise_counts(headset)
    return np.clip(np.rint(noisy), 0, headset.adc.full_scale - 1).astype(np.float32)
