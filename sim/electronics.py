"""From irradiance to ADC counts: photocurrent, gain, noise, saturation and rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim import anatomy
from psog.sim.ambient import DARK, Ambient
from psog.sim.device import Device
from psog.sim.photocurrent import Photocurrent, photocurrent
from psog.sim.population import nominal_user
from psog.sim.render import FINE, Optics, pose_rows, render
from psog.sim.state import eye_states

NOMINAL_READING = 0.4
"""Of full scale, for the nominal eye straight ahead: room for a shift of some millimetres and light skin."""
_ROUNDING_VARIANCE = 1 / 12
"""Of a value rounded to whole counts."""

Array = NDArray[np.floating]


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


def noise_counts(headset: Headset, gain: Array | None = None, ambient: Ambient = DARK) -> NDArray[np.float32]:
    """(sensors,) standard deviation of one reading of the nominal eye, before it is rounded to counts.

    The nominal mean over the headset's SNR where that is set; else what parts and drive give.

    Args:
        gain: the headset's `gains`, computed if not given.
    """
    nominal = NOMINAL_READING * headset.adc.full_scale
    if headset.noise.snr is not None:
        return np.full(headset.sensor_count, nominal / headset.noise.snr, dtype=np.float32)
    current = photocurrent(headset)
    a_per_count = current.signal_a_per_unit / (gains(headset) if gain is None else gain).astype(np.float64)
    ambient_a = current.ambient_a_per_w_m2 * ambient.irradiance_w_m2
    noise = np.sqrt(current.variance(nominal * a_per_count, ambient_a)) / a_per_count
    return np.asarray(noise, dtype=np.float32)


def signal_to_noise(headset: Headset, ambient: Ambient = DARK) -> NDArray[np.float64]:
    """(sensors,) reading of the nominal eye over its standard deviation, rounding to counts included.

    Zero where ambient light leaves the amplifier no room for the signal.
    """
    gain, nominal = gains(headset).astype(np.float64), NOMINAL_READING * headset.adc.full_scale
    noise = noise_counts(headset, gain, ambient).astype(np.float64)
    ratio = nominal / np.sqrt(noise**2 + _ROUNDING_VARIANCE)
    if not headset.has_currents:
        return np.asarray(ratio)
    current = photocurrent(headset)
    light = nominal / gain * current.signal_a_per_unit + current.ambient_a_per_w_m2 * ambient.irradiance_w_m2
    return np.where(light + current.dark_a < current.most_a, ratio, 0.0)


class Electronics:
    """The electronics of one device, which keep time from call to call.

    The photodiode's amplifier saturates with all its light, ambient included. Where ambient light is
    subtracted, a second sample is taken one pulse later with the light off, and what the converter gets is
    the difference; a light that flickers has changed meanwhile.
    """

    def __init__(self, headset: Headset, *, ambient: Ambient = DARK, device: Device | None = None) -> None:
        """
        Args:
            headset: the design, for which the gains are set.
            device: whose sensors differ from the design; none do unless given.
        Raises:
            SimulationError: ambient light on a headset whose photocurrents are not known.
        """
        if ambient.irradiance_w_m2 > 0 and not headset.has_currents:
            raise SimulationError(
                f"cannot put {headset.name} in {ambient.name} light: its photocurrents are not known; give "
                "[parts], [amplifier], drive.led_current_ma and drive.pulse_us in the headset file"
            )
        self._headset = headset
        self._ambient = ambient
        self._device = device
        self._gain = gains(headset)
        self._current = photocurrent(headset) if headset.has_currents else None
        self._set_noise = None if headset.noise.snr is None else noise_counts(headset, self._gain)
        self._taken = 0

    def read(self, irradiance: Array, random: np.random.Generator) -> NDArray[np.float32]:
        """(n, sensors) irradiance at the next n samples to as many readings: whole counts, noise included."""
        counts = irradiance * self._gain
        if self._device is not None:
            counts = counts * self._device.gain
        if self._current is not None:
            counts = self._through_amplifier(counts, self._current, random)
        if self._set_noise is not None:
            counts = counts + random.standard_normal(counts.shape, dtype=np.float32) * self._set_noise
        if self._device is not None:
            counts = counts + self._device.offset_counts + self._device.drift_counts(len(counts))
        self._taken += len(counts)
        return _converted(counts, self._headset)

    def _through_amplifier(
        self, counts: Array, current: Photocurrent, random: np.random.Generator
    ) -> NDArray[np.float64]:
        """What is left of the counts after noise, saturation and the subtraction of ambient light."""
        a_per_count = current.signal_a_per_unit / self._gain.astype(np.float64)
        signal = counts * a_per_count
        on_s, off_s = self._sample_times(len(counts))
        ambient = current.ambient_a_per_w_m2 * self._ambient.at(on_s)
        noise = self._noise((len(counts), 2, counts.shape[1]), random)
        on = signal + ambient + current.dark_a + noise[:, 0] * np.sqrt(current.on_variance(signal, ambient))
        seen = np.minimum(on, current.most_a)
        if current.subtracts:
            ambient = current.ambient_a_per_w_m2 * self._ambient.at(off_s)
            off = ambient + current.dark_a + noise[:, 1] * np.sqrt(current.off_variance(ambient))
            seen = seen - np.minimum(off, current.most_a)
        return np.asarray(seen / a_per_count)

    def _noise(self, shape: tuple[int, int, int], random: np.random.Generator) -> NDArray[np.float32]:
        """Unit noise of the samples with light and without; none where a set SNR stands for it."""
        if self._set_noise is not None:
            return np.zeros(shape, np.float32)
        return random.standard_normal(shape, dtype=np.float32)

    def _sample_times(self, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(count, sensors) seconds at which each sensor is read with its light on, and with it off."""
        headset = self._headset
        sample = (self._taken + np.arange(count)) / headset.rate_hz
        slots = np.arange(headset.sensor_count) / (headset.rate_hz * headset.sensor_count)
        if headset.drive.multiplexing == "none":
            slots = np.zeros(headset.sensor_count)
        on = sample[:, None] + slots
        return on, on + (headset.drive.pulse_us or 0.0) * 1e-6


def digitize(
    counts: NDArray[np.floating], headset: Headset, random: np.random.Generator
) -> NDArray[np.float32]:
    """(..., sensors) noise-free counts to one noisy reading of each: whole counts in the ADC's range.

    Every reading gets the noise of a nominal one; `Electronics` knows more.
    """
    noisy = counts + random.standard_normal(counts.shape, dtype=np.float32) * noise_counts(headset)
    return _converted(noisy, headset)


def _converted(counts: Array, headset: Headset) -> NDArray[np.float32]:
    """Whole counts within the ADC's range."""
    return np.asarray(np.clip(np.rint(counts), 0, headset.adc.full_scale - 1), dtype=np.float32)
