"""A headset file describes a possible headset or is refused with the reason."""

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from psog.errors import HeadsetError
from psog.headset import Headset, built_in_headsets, load_headset


def ring16_text() -> str:
    return resources.files("psog.headsets").joinpath("ring16.toml").read_text("utf-8")


@pytest.mark.parametrize(("name", "sensors", "cells"), [("grid15", 15, (3, 5)), ("ring16", 16, (4, 10))])
def test_built_in_headsets_have_their_sensors_and_grid(name, sensors, cells):
    headset = load_headset(name)
    assert headset.sensor_count == sensors
    assert headset.grid.shape == cells
    assert name in built_in_headsets()


def test_ring16_neighbours_on_the_grid_are_neighbours_on_the_ring():
    grid = load_headset("ring16").grid
    steps = np.diff(grid, axis=1) % 16
    assert (steps == 2).all()


def test_grid15_windows_are_sixty_pixels_apart_at_eight_pixels_per_millimetre():
    headset = load_headset("grid15")
    x = [sensor.detector_mm[0] for sensor in headset.sensors[:5]]
    assert np.diff(x) == pytest.approx(60 / 8)


def test_readings_are_left_aligned_on_the_wire():
    headset = load_headset("ring16")
    assert headset.to_wire(np.array([0.0, 1.0, 4095.0, 5000.0, -3.0])).tolist() == [0, 16, 65520, 65535, 0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rate_hz = 1000", "rate_hz = 1000\ncolour = 3", "colour"),
        ("bits = 12", "bits = 12\nmsb = 1", "adc.msb"),
        ("bits = 12", "bits = 30", "adc.bits"),
        ("rate_hz = 1000", "rate_hz = -5", "rate_hz"),
        ("rate_hz = 1000", "rate_hz = nan", "rate_hz"),
        ("schema = 1", "schema = 2", "schema"),
        ("snr = 1000", "snr = 0", "noise.snr"),
        ("[15, 1, 3, 5", "[15, 1, 3, 99", "unknown sensors [99]"),
        ("[15, 1, 3, 5, 7", "[15, 1, 3, 5", "same number of cells"),
        ("detector_mm = [20.60, 3.32, 26.00]", "detector_mm = [2.0, 3.0, 9.0]", "inside the eye"),
        ("detector_mm = [20.60, 3.32, 26.00]", "detector_mm = [20.0, 3.0, -9.0]", "in front"),
        ("detector_mm = [20.60, 3.32, 26.00]", "detector_mm = [3.53, 0.48, 11.00]", "aim"),
        ('name = "ring16"', 'name = "Ring 16!"', "name"),
        ("schema = 1", "schema = = 1", "not valid TOML"),
    ],
)
def test_an_impossible_headset_is_refused_with_the_reason(tmp_path, old, new, message):
    text = ring16_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(HeadsetError) as refused:
        load_headset(path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


PARTS_FILE = Path(__file__).resolve().parent.parent / "docs" / "examples" / "ring16_parts.toml"


def parts_text() -> str:
    return PARTS_FILE.read_text("utf-8")


def loaded(folder, old: str, new: str):
    text = parts_text()
    assert old in text
    path = folder / "mine.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    return load_headset(path)


def test_a_headset_of_parts_takes_lobes_and_currents_from_their_datasheets():
    headset = load_headset(PARTS_FILE)
    assert headset.has_currents
    assert headset.detector_lobe.at(np.cos(np.deg2rad([0, 35]))) == pytest.approx([1, 0.5], abs=1e-4)
    assert headset.emitter_lobe.at(np.cos(np.deg2rad([0, 60]))) == pytest.approx([1, 0.5], abs=1e-4)
    assert headset.parts.emitter.source.startswith("Vishay document")


def test_a_headset_of_parts_has_the_places_of_ring16():
    assert load_headset(PARTS_FILE).sensors == load_headset("ring16").sensors


def test_a_dumped_headset_holds_its_parts_and_loads_without_their_files():
    headset = load_headset(PARTS_FILE)
    dumped = json.loads(json.dumps(headset.model_dump(mode="json", by_alias=True)))
    again = Headset.model_validate(dumped)
    assert again == headset
    assert hash(again) == hash(headset)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[adc]",
            "[lobes]\ndetector_exponent = 1\nemitter_exponent = 1\n[adc]",
            "both given, expected exactly one",
        ),
        ('detector = "VEMD2003X01"', 'detector = "VEMD9"', "built in: BP104F, SFH4356"),
        (
            'detector = "VEMD2003X01"',
            'detector = "SFH4356"',
            "SFH4356 is of kind emitter, expected photodiode",
        ),
        ('detector = "VEMD2003X01"', 'detector = "gone.toml"', "cannot read part file"),
        ('detector = "VEMD2003X01"', "detector = 3", "parts.detector"),
        ('emitter = "VSMY1850ITX01"', "", "parts.emitter"),
        ("led_current_ma = 20", "led_current_ma = -20", "drive.led_current_ma"),
        ("led_current_ma = 20", "led_current_ma = 250", "VSMY1850ITX01 bears 200.0 mA"),
        ("led_current_ma = 20", "", "noise.snr: missing"),
        ("pulse_us = 25", "pulse_us = 40", "need 1280 µs"),
        ("pulse_us = 25", "pulse_ms = 25", "drive.pulse_ms"),
        ('multiplexing = "time"', 'multiplexing = "frequency"', "drive.multiplexing"),
        ("crosstalk = 0.002", "crosstalk = 1.5", "drive.crosstalk"),
        ("crosstalk = 0.002", "crosstalk = -0.1", "drive.crosstalk"),
        ("crosstalk = 0.002", "led_noise_db_hz = 10", "drive.led_noise_db_hz"),
        ("[amplifier]", "[noise]\nsnr = -5\n[amplifier]", "noise.snr"),
        ("feedback_kohm = 220", "feedback_kohm = 0", "amplifier.feedback_kohm"),
        ("gain_sd = 0.05", "gain_sd = -0.05", "tolerance.gain_sd"),
        ("drift_counts_rthour = 2", "drift_counts_rthour = nan", "tolerance.drift_counts_rthour"),
        ("z_mm = 26", "z_mm = 25", "sensors[0]: a part lies at z = 26.0 mm, behind the housing"),
    ],
)
def test_impossible_parts_and_drives_are_refused_with_the_reason(tmp_path, old, new, message):
    with pytest.raises(HeadsetError) as refused:
        loaded(tmp_path, old, new)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_emitter_bears_more_in_short_pulses(tmp_path):
    assert loaded(tmp_path, "led_current_ma = 20", "led_current_ma = 150").drive.led_current_ma == 150
    slow = parts_text().replace("rate_hz = 1000", "rate_hz = 100").replace("pulse_us = 25", "pulse_us = 200")
    path = tmp_path / "slow.toml"
    path.write_text(slow.replace("led_current_ma = 20", "led_current_ma = 150"), "utf-8")
    with pytest.raises(HeadsetError, match=r"bears 100\.0 mA"):
        load_headset(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[lobes]", "[drive]\nled_current_ma = 20\n[lobes]", "says nothing without [parts]"),
        ("snr = 1000", "", "noise.snr: missing"),
        ("[lobes]\ndetector_exponent = 8\nemitter_exponent = 1\n", "", "neither given"),
        ("snr = 1000", "snr = -1000", "noise.snr"),
    ],
)
def test_a_headset_without_parts_needs_lobes_and_snr(tmp_path, old, new, message):
    text = ring16_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(HeadsetError) as refused:
        load_headset(path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_part_of_ones_own_is_found_beside_the_headset_file(tmp_path):
    source = resources.files("psog.part_data").joinpath("BP104F.toml").read_text("utf-8")
    (tmp_path / "own.toml").write_text(source.replace("BP104F", "OWN"), "utf-8")
    headset = loaded(tmp_path, 'detector = "VEMD2003X01"', 'detector = "own.toml"')
    assert headset.parts.detector.name == "OWN"


def test_a_custom_headset_loads_from_its_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(ring16_text().replace('"ring16"', '"mine"', 1), "utf-8")
    assert load_headset(path).name == "mine"


@pytest.mark.parametrize("name", ["ring17", "missing.toml"])
def test_a_missing_headset_names_what_there_is(name):
    with pytest.raises(HeadsetError, match=r"ring17|missing"):
        load_headset(name)
