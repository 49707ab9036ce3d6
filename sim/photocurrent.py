"""Photocurrents and their noise, in amperes, from the numbers of the parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.headset import Headset

ELEMENTARY_CHARGE_C = 1.602176634e-19
BOLTZMANN_J_K = 1.380649e-23
"""Exact by the definition of the SI (2019)."""
_KELVIN = 273.15

Array = NDArray[np.floating]
Amperes = NDArray[np.float64]


@dataclass(frozen=True)
class Photocurrent:
    """What one photodiode and its amplifier do; the same for every sensor of a headset.

    Attributes:
        signal_a_per_unit: current per unit of irradiance as from `psog.sim.render.render`.
        ambient_a_per_w_m2: current per unit of ambient irradiance.
        dark_a: without any light.
        most_a: beyond which the amplifier is saturated.
        bandwidth_hz: of noise, when a pulse is integrated.
        amplifier_a2_hz: spectral density of the amplifier's noise.
        led_noise_hz: relative intensity noise of the light.
        subtracts: whether a second sample with the light off is taken away.
    """

    signal_a_per_unit: float
    ambient_a_per_w_m2: float
    dark_a: float
    most_a: float
    bandwidth_hz: float
    amplifier_a2_hz: float
    led_noise_hz: float
    subtracts: bool

    def on_variance(self, signal_a: Array, ambient_a: Array | float) -> Amperes:
        """Of a sample with the light on: shot noise, amplifier and emitter (A²)."""
        shot = 2 * ELEMENTARY_CHARGE_C * (np.asarray(signal_a, np.float64) + ambient_a + self.dark_a)
        light = self.led_noise_hz * np.square(signal_a, dtype=np.float64)
        return np.asarray((shot + self.amplifier_a2_hz + light) * self.bandwidth_hz)

    def off_variance(self, ambient_a: Array | float) -> Amperes:
        """Of a sample with the light off (A²)."""
        return self.on_variance(np.zeros(()), ambient_a)

    def variance(self, signal_a: Array, ambient_a: Array | float = 0.0) -> Amperes:
        """Of a reading, before the converter (A²)."""
        on = self.on_variance(signal_a, ambient_a)
        return on + self.off_variance(ambient_a) if self.subtracts else on


def photocurrent(headset: Headset) -> Photocurrent:
    """The currents of a headset with parts, drive and amplifier.

    Signal: responsivity · area · irradiance, and irradiance is the render's (W/mm² per W/sr) times the
    emitter's radiant intensity, which is proportional to its current. Noise: shot noise 2qI, the feedback
    resistor's 4kT/R, the amplifier's voltage noise across R and across the photodiode's capacitance, and the
    relative intensity noise of the light, all within the noise bandwidth 1/2τ of integrating for τ.

    Raises:
        SimulationError: the headset does not say enough.
    Source: Graeme, Photodiode Amplifiers (1996), for the voltage noise (2πf·C·e integrated to the bandwidth);
    the others are textbook formulae.
    """
    parts, drive, amplifier = headset.parts, headset.drive, headset.amplifier
    if parts is None or amplifier is None or drive.led_current_ma is None or drive.pulse_us is None:
        raise SimulationError(
            f"cannot compute photocurrents of {headset.name}: its file lacks [parts], drive.led_current_ma, "
            "drive.pulse_us or [amplifier]"
        )
    diode, emitter = parts.detector, parts.emitter
    intensity_w_sr = emitter.radiant_intensity_mw_sr * 1e-3 * drive.led_current_ma / emitter.at_current_ma
    a_per_w_mm2 = diode.responsivity_a_w * diode.area_mm2
    resistance_ohm = amplifier.feedback_kohm * 1e3
    bandwidth_hz = 1 / (2 * drive.pulse_us * 1e-6)
    voltage = amplifier.voltage_noise_nv_rthz * 1e-9
    through_capacitance = (2 * np.pi * diode.capacitance_pf * 1e-12 * bandwidth_hz) ** 2 / 3
    thermal = 4 * BOLTZMANN_J_K * (amplifier.temperature_c + _KELVIN) / resistance_ohm
    return Photocurrent(
        signal_a_per_unit=a_per_w_mm2 * intensity_w_sr,
        ambient_a_per_w_m2=a_per_w_mm2 * 1e-6,
        dark_a=diode.dark_current_na * 1e-9,
        most_a=amplifier.saturation_v / resistance_ohm,
        bandwidth_hz=bandwidth_hz,
        amplifier_a2_hz=float(thermal + voltage**2 * (1 / resistance_ohm**2 + through_capacitance)),
        led_noise_hz=10 ** (drive.led_noise_db_hz / 10),
        subtracts=drive.ambient_subtraction,
    )
