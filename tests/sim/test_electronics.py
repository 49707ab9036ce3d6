"""From irradiance to counts."""

import numpy as np
import pytest

from psog.errors import HeadsetError, SimulationError
from psog.headset import load_headset
from psog.sim.ambient import AMBIENTS, DARK, Ambient, ambient_light
from psog.sim.device import Device
from psog.sim.effects import Effects
from psog.sim.electronics import Electronics, digitize, gains, noise_counts, signal_to_noise
from psog.sim.photocurrent import photocurrent
from psog.sim.quadrature import FINE
from tests.sim.driven import RING_PARTS, altered
from tests.sim.views import irradiance

RING = load_headset("ring16")
FINE_ADC = altered(RING_PARTS, adc={"bits": 16})
"""Its rounding is small against its noise."""
NOISELESS = altered(FINE_ADC, noise={"snr": 1e9})
NOMINAL = 1 / gains(RING_PARTS) * 0.4 * 4096
"""(sensors,) irradiance from the nominal eye."""


def nominal(samples: int, factor: float = 1.0) -> np.ndarray:
    return np.tile(NOMINAL * factor, (samples, 1)).astype(np.float32)


def many(factor: float = 1.0, ambient: Ambient = DARK) -> np.ndarray:
    """(20000, sensors) readings of a steady light, in double precision for their statistics."""
    electronics = Electronics(FINE_ADC, ambient=ambient)
    return electronics.read(nominal(20_000, factor), np.random.default_rng(1)).astype(np.float64)


@pytest.mark.parametrize("name", ["ring16", "grid15"])
def test_the_nominal_eye_reads_forty_percent(name):
    headset = load_headset(name)
    counts = irradiance(headset, [(0.0, 0.0)], quadrature=FINE, effects=Effects())[0] * gains(headset)
    np.testing.assert_allclose(counts, 0.4 * 4096, rtol=1e-4)


def test_noise_follows_from_the_snr_and_is_independent():
    headset = altered(RING, noise={"snr": 100.0})
    readings = digitize(np.full((20_000, 16), 1638.4), headset, np.random.default_rng(0))
    np.testing.assert_allclose(noise_counts(headset), 16.384, rtol=1e-5)
    np.testing.assert_allclose(readings.std(axis=0), 16.384, rtol=0.03)
    assert np.abs(np.corrcoef(readings.T) - np.eye(16)).max() < 0.04


def test_readings_are_whole_counts_within_the_converter():
    true = np.linspace(-500, 6000, 1600).reshape(100, 16)
    readings = digitize(true, RING, np.random.default_rng(0))
    assert readings.dtype == np.float32
    assert (readings == np.rint(readings)).all()
    assert (readings.min(), readings.max()) == (0, 4095)
    assert (readings[true > 4200] == 4095).all()


def test_a_headset_with_a_set_snr_and_no_parts_gets_white_noise_and_nothing_else():
    light = nominal(50)
    device = Device(RING, seed=0, index=0)
    found = Electronics(RING, device=device).read(light, np.random.default_rng(3))
    expected = digitize(light * gains(RING), RING, np.random.default_rng(3))
    np.testing.assert_array_equal(found, expected)


def test_snr_by_hand():
    """VEMD2003X01, 2 mW/sr, 25 µs, 220 kΩ at 30 °C, 10 nV/√Hz, 4 pF, -130 dB/Hz, 12 bits."""
    signal_a = 4.35 * 0.23 * 2e-3 * NOMINAL.astype(float)
    bandwidth_hz, dark_a = 20_000, 1e-9
    shot = 2 * 1.602177e-19 * (signal_a + 2 * dark_a)
    thermal = 4 * 1.380649e-23 * 303.15 / 220e3
    voltage = 1e-16 * (1 / 220e3**2 + (2 * np.pi * 4e-12 * bandwidth_hz) ** 2 / 3)
    light = 1e-13 * signal_a**2
    noise_a = np.sqrt((shot + 2 * thermal + 2 * voltage + light) * bandwidth_hz)
    rounding_a = signal_a / 1638.4 / np.sqrt(12)
    np.testing.assert_allclose(
        signal_to_noise(RING_PARTS), signal_a / np.hypot(noise_a, rounding_a), rtol=1e-4
    )


UNLIMITED = {"feedback_kohm": 1e9, "saturation_v": 1e9, "voltage_noise_nv_rthz": 0.0}
QUIET = {"amplifier": UNLIMITED, "drive": {"led_noise_db_hz": -200}}


@pytest.mark.parametrize(
    ("tables", "relative_noise"),
    [
        (QUIET, lambda signal_a: np.sqrt(1.602177e-19 / 25e-6 / signal_a)),  # 1/√electrons
        (QUIET | {"drive": {"led_noise_db_hz": -60}}, lambda _: np.sqrt(1e-6 * 20_000)),
        (
            QUIET | {"amplifier": UNLIMITED | {"feedback_kohm": 1.0}},
            lambda signal_a: np.sqrt(2 * 4 * 1.380649e-23 * 303.15 / 1e3 * 20_000) / signal_a,
        ),
    ],
    ids=["shot", "driver", "thermal"],
)
def test_each_source_of_noise_alone_has_its_textbook_size(tables, relative_noise):
    headset = altered(FINE_ADC, **tables)
    signal_a = NOMINAL * photocurrent(headset).signal_a_per_unit
    np.testing.assert_allclose(1 / signal_to_noise(headset), relative_noise(signal_a), rtol=0.01)


@pytest.mark.parametrize("factor", [0.2, 1.0, 2.0])
def test_readings_scatter_as_the_formula_says_at_every_light_level(factor):
    readings = many(factor)
    current = photocurrent(FINE_ADC)
    signal_a = NOMINAL * factor * current.signal_a_per_unit
    expected = np.sqrt(current.variance(signal_a)) / signal_a * readings.mean(axis=0)
    np.testing.assert_allclose(readings.mean(axis=0), factor * 0.4 * 65536, rtol=1e-3)
    np.testing.assert_allclose(readings.std(axis=0), expected, rtol=0.03)


def test_noise_of_episodes_is_that_of_the_nominal_reading():
    readings = many()
    np.testing.assert_allclose(noise_counts(FINE_ADC), readings.std(axis=0), rtol=0.03)


def test_more_current_through_the_emitters_means_less_noise():
    snr = [np.median(signal_to_noise(RING_PARTS.with_led_current(ma))) for ma in (2, 5, 10, 20)]
    assert (np.diff(snr) > 0).all()
    with pytest.raises(HeadsetError, match="VSMY1850ITX01 bears 200"):
        RING_PARTS.with_led_current(300)


def test_an_snr_that_is_set_stands():
    np.testing.assert_allclose(signal_to_noise(altered(FINE_ADC, noise={"snr": 250.0})), 250, rtol=1e-4)


def test_sunshine_brings_noise_but_no_offset():
    readings = many(ambient=AMBIENTS["sun"])
    np.testing.assert_allclose(readings.mean(axis=0), 0.4 * 65536, rtol=1e-3)
    expected = 0.4 * 65536 / signal_to_noise(FINE_ADC, AMBIENTS["sun"])
    np.testing.assert_allclose(readings.std(axis=0), expected, rtol=0.03)
    assert (signal_to_noise(FINE_ADC, AMBIENTS["sun"]) < 0.5 * signal_to_noise(FINE_ADC)).all()


def test_without_subtraction_ambient_light_adds_to_the_reading_until_the_converter_is_full():
    headset = altered(NOISELESS, drive={"ambient_subtraction": False})
    counts_per_w_m2 = 4.35 * 0.23e-6 * gains(headset) / photocurrent(headset).signal_a_per_unit
    dim = Electronics(headset, ambient=Ambient("dim", 0.1)).read(nominal(1), np.random.default_rng(0))
    dark = Electronics(headset).read(nominal(1), np.random.default_rng(0))
    np.testing.assert_allclose((dim - dark)[0], 0.1 * counts_per_w_m2, atol=1)
    bright = Electronics(headset, ambient=Ambient("bright", 5.0)).read(nominal(1), np.random.default_rng(0))
    assert (bright == 65535).all()


def test_an_amplifier_that_ambient_light_has_filled_sees_no_signal():
    """220 kΩ reach 3 V at 13.6 µA, which is 13.6 W/m² on this photodiode."""
    blind = Electronics(NOISELESS, ambient=Ambient("noon", 14.0)).read(nominal(1), np.random.default_rng(0))
    assert (blind == 0).all()
    assert (signal_to_noise(NOISELESS, Ambient("noon", 14.0)) == 0).all()
    squeezed = Electronics(NOISELESS, ambient=Ambient("late", 13.45)).read(
        nominal(1), np.random.default_rng(0)
    )
    room_a = 3.0 / 220e3 - 13.45 * 4.35 * 0.23e-6 - 1e-9
    expected = room_a / photocurrent(NOISELESS).signal_a_per_unit * gains(NOISELESS)
    np.testing.assert_allclose(squeezed[0], expected, atol=1)


def test_flicker_leaves_what_changed_between_the_two_samples():
    """m·I·(sin ωt − sin ω(t + τ)) has the amplitude 2·m·I·sin(πfτ)."""
    indoor = AMBIENTS["indoor"]
    electronics = Electronics(NOISELESS, ambient=indoor)
    residue = electronics.read(nominal(200), np.random.default_rng(0)) - 0.4 * 65536
    swing_a = 2 * indoor.flicker * 4.35 * 0.23e-6 * np.sin(np.pi * 100 * 25e-6)
    expected = swing_a / photocurrent(NOISELESS).signal_a_per_unit * gains(NOISELESS)
    np.testing.assert_allclose(residue.max(axis=0), expected, rtol=0.06, atol=1)
    np.testing.assert_allclose(residue[:100], residue[100:], atol=1)  # 100 ms are ten periods
    later = electronics.read(nominal(5), np.random.default_rng(0)) - 0.4 * 65536
    np.testing.assert_allclose(later, residue[:5], atol=1)  # time goes on from call to call


def test_ambient_light_needs_photocurrents():
    with pytest.raises(SimulationError, match=r"ring16 in indoor light.*\[parts\]"):
        Electronics(RING, ambient=AMBIENTS["indoor"])
    with pytest.raises(SimulationError, match="lacks"):
        photocurrent(RING)


@pytest.mark.parametrize(
    "numbers", [(-1.0, 0.0, 100.0), (1.0, 2.0, 100.0), (1.0, 0.0, 0.0), (np.nan, 0, 100.0)]
)
def test_impossible_ambient_light_is_refused(numbers):
    with pytest.raises(SimulationError, match="cannot be"):
        Ambient("mine", *numbers)


def test_an_unknown_ambient_light_names_those_there_are():
    with pytest.raises(SimulationError, match="dark, indoor, sun"):
        ambient_light("moon")
