"""Photodiodes and emitters: what their data say of them."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from psog.errors import PartError
from psog.headset import load_headset
from psog.parts import Emitter, Lobe, Photodiode, built_in_parts, load_part


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


def test_there_are_real_photodiodes_and_emitters_each_with_its_datasheet():
    parts = [load_part(name) for name in built_in_parts()]
    assert {"BP104F", "VEMD10940FX01", "VEMD4110X01"} <= {p.name for p in parts if isinstance(p, Photodiode)}
    assert sum(isinstance(part, Emitter) for part in parts) >= 2
    for part in parts:
        assert any(character.isdigit() for character in part.source)
        assert part.name in built_in_parts()


@pytest.mark.parametrize(
    ("name", "current_ua"), [("VEMD4110X01", 2.4), ("VEMD10940FX01", 3), ("VEMD2003X01", 10), ("BP104F", 34)]
)
def test_a_photodiode_gives_the_current_its_datasheet_promises(name, current_ua):
    """Reverse light current at 1 mW/cm², which is 10⁻⁵ W/mm²."""
    diode = load_part(name)
    assert diode.responsivity_a_w * diode.area_mm2 * 1e-5 == pytest.approx(current_ua * 1e-6, rel=0.01)


@pytest.mark.parametrize(("name", "half_deg"), [("VEMD4110X01", 55), ("SFH4356", 20), ("BP104F", 60)])
def test_a_part_gives_half_at_its_half_angle(name, half_deg):
    lobe = load_part(name).lobe
    assert lobe.at(np.cos(np.deg2rad([0, half_deg, 90]))) == pytest.approx([1, 0.5, 0], abs=1e-3)


def own(folder, kind: str, old: str, new: str):
    name = {"photodiode": "VEMD4110X01", "emitter": "VSMY1850ITX01"}[kind]
    text = resources.files("psog.part_data").joinpath(f"{name}.toml").read_text("utf-8")
    assert old in text
    path = folder / "own.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    return load_part(str(path))


def test_a_part_may_give_its_lobe_as_a_table(tmp_path):
    table = "angles_deg = [0, 30, 60, 80]\nrelative = [1, 0.9, 0.4, 0.05]"
    part = own(tmp_path, "photodiode", "half_angle_deg = 55", table)
    assert part.lobe == Lobe(None, (0, 30, 60, 80), (1, 0.9, 0.4, 0.05))
    assert own(tmp_path, "emitter", "half_angle_deg = 60", "exponent = 1.3").lobe == Lobe(1.3)


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        ("photodiode", 'kind = "photodiode"', 'kind = "lens"', "expected photodiode or emitter"),
        ("photodiode", 'kind = "photodiode"', "", "kind is None"),
        ("photodiode", "area_mm2 = 0.42", "area_mm2 = -0.42", "area_mm2"),
        ("photodiode", "area_mm2 = 0.42", "area_mm2 = inf", "area_mm2"),
        ("photodiode", "area_mm2 = 0.42", "area_cm2 = 0.42", "area_"),
        ("photodiode", "band_nm = [740, 1040]", "band_nm = [1040, 740]", "shorter wavelength first"),
        ("photodiode", "dark_current_na = 1.0", "dark_current_na = -1", "dark_current_na"),
        ("photodiode", "half_angle_deg = 55", "half_angle_deg = 95", "half_angle_deg"),
        ("photodiode", "half_angle_deg = 55", "", "given by nothing"),
        ("photodiode", "half_angle_deg = 55", "half_angle_deg = 55\nexponent = 1", "deg and exponent"),
        ("photodiode", "half_angle_deg = 55", "angles_deg = [0, 90]", "come together"),
        ("photodiode", "half_angle_deg = 55", "angles_deg = [0, 50]\nrelative = [1]", "expected as many"),
        ("photodiode", "half_angle_deg = 55", "angles_deg = [0, 50, 40]\nrelative = [1, 1, 0]", "must rise"),
        ("photodiode", "half_angle_deg = 55", "angles_deg = [5, 50]\nrelative = [1, 0]", "must rise from 0"),
        ("photodiode", "half_angle_deg = 55", "angles_deg = [0, 95]\nrelative = [1, 0]", "at most 90"),
        ("photodiode", "half_angle_deg = 55", "angles_deg = [0, nan]\nrelative = [1, 0]", "must rise"),
        ("photodiode", "half_angle_deg = 55", "angles_deg = [0, 50]\nrelative = [0.8, 0]", "expected 1"),
        ("photodiode", "half_angle_deg = 55", "angles_deg = [0, 50]\nrelative = [1.2, 0]", "relative"),
        ("photodiode", "source =", "# source =", "source"),
        ("photodiode", "[notes]", "[notes]\ncolour = 'black'", "colour"),
        ("photodiode", "[notes]", "[notes", "not valid TOML"),
        ("emitter", "max_pulse_us = 100", "", "come together"),
        ("emitter", "max_mw_sr = 15", "max_mw_sr = 5", "below the typical"),
        ("emitter", "at_current_ma = 100", "at_current_ma = 0", "at_current_ma"),
    ],
)  # fmt: skip
def test_an_impossible_part_is_refused_with_the_reason(tmp_path, kind, old, new, message):
    with pytest.raises(PartError) as refused:
        own(tmp_path, kind, old, new)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_part_names_those_there_are(tmp_path):
    with pytest.raises(PartError, match=r"no part named 'VEMD1'; built in: BP104F, .*VEMD4110X01"):
        load_part("VEMD1")
    with pytest.raises(PartError, match="cannot read part file"):
        load_part("absent.toml", tmp_path)


def test_the_part_in_the_documentation_is_one(tmp_path):
    page = (Path(__file__).resolve().parent.parent / "docs" / "electronics.md").read_text("utf-8")
    (tmp_path / "own.toml").write_text(page.split("```toml\n")[1].split("```")[0], "utf-8")
    part = load_part("own.toml", tmp_path)
    assert isinstance(part, Photodiode)
    assert part.lobe.at(np.cos(np.deg2rad([0, 30, 85]))) == pytest.approx([1, (0.96 + 0.75) / 2, 0])
