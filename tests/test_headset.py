"""A headset file describes a possible headset or is refused with the reason."""

from importlib import resources

import numpy as np
import pytest

from psog.errors import HeadsetError
from psog.headset import built_in_headsets, load_headset


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


def test_a_custom_headset_loads_from_its_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(ring16_text().replace('"ring16"', '"mine"', 1), "utf-8")
    assert load_headset(path).name == "mine"


@pytest.mark.parametrize("name", ["ring17", "missing.toml"])
def test_a_missing_headset_names_what_there_is(name):
    with pytest.raises(HeadsetError, match=r"ring17|missing"):
        load_headset(name)
