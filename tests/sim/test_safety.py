"""Light on the cornea, and where it is refused."""

import json
import subprocess
import sys
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from psog.cli.exposure import exposure_line, warn_of_exposure
from psog.errors import SafetyError
from psog.headset import Headset, Sensor, load_headset
from psog.sim import anatomy
from psog.sim.episodes import make_episodes
from psog.sim.picture import draw_exposure
from psog.sim.safety import check_exposure, corneal_exposure
from tests.sim.driven import EXAMPLE, RING_PARTS, altered

APEX_MM = anatomy.CORNEA_RADIUS_MM + float(
    anatomy.cornea_centre_mm(
        np.array(anatomy.EYE_RADIUS_MM), np.array(anatomy.CORNEA_RADIUS_MM), np.array(anatomy.IRIS_RADIUS_MM)
    )
)


def lamps(at_mm, intensity_mw_sr: float, *, aim_mm=(0.0, 0.0, APEX_MM), **drive) -> Headset:
    """A headset whose emitters stand at `at_mm` and give `intensity_mw_sr` each, all at once unless told."""
    sensors = [
        Sensor(detector_mm=(9, 9, 30), detector_aim_mm=(0, 0, 12), emitter_mm=at, emitter_aim_mm=aim_mm)
        for at in at_mm
    ]
    emitter = RING_PARTS.parts.emitter.model_copy(update={"radiant_intensity_max_mw_sr": None})
    return altered(
        RING_PARTS.model_copy(update={"sensors": tuple(sensors)}),
        parts={"emitter": emitter},
        drive={"led_current_ma": 10 * intensity_mw_sr, "multiplexing": "none"} | drive,
    )


def test_ten_milliwatt_per_steradian_at_fifteen_millimetres_are_44_w_per_m2():
    found = corneal_exposure(lamps([(0, 0, APEX_MM + 15)], 10))
    assert found.apex_w_m2 == pytest.approx(10e-3 / 0.015**2, rel=1e-6)
    assert found.greatest_w_m2 == pytest.approx(44.4, abs=0.1)
    assert found.worst_mm == pytest.approx((0, 0, APEX_MM))


def test_four_emitters_at_fifteen_millimetres_reach_the_limit_at_5_6_milliwatt_per_steradian():
    ring = [(9, 0, APEX_MM + 12), (-9, 0, APEX_MM + 12), (0, 9, APEX_MM + 12), (0, -9, APEX_MM + 12)]
    assert corneal_exposure(lamps(ring, 5.6)).apex_w_m2 == pytest.approx(100, rel=0.01)
    one_at_a_time = corneal_exposure(lamps(ring, 5.6, multiplexing="time", crosstalk=0.0))
    assert one_at_a_time.apex_w_m2 == pytest.approx(25, rel=0.01)


def test_slots_are_judged_as_if_they_lasted_and_average_to_their_duty():
    found = corneal_exposure(lamps([(0, 0, 40), (0, 0, 40)], 10, multiplexing="time", crosstalk=0.1))
    alone = corneal_exposure(lamps([(0, 0, 40)], 10)).greatest_w_m2
    assert found.greatest_w_m2 == pytest.approx(1.2 * alone)
    assert found.mean_w_m2 == pytest.approx(2 * alone * 25e-6 * 1000)


def test_what_an_emitter_turns_away_does_not_count():
    at = (0.0, 0.0, APEX_MM + 15)
    aside = lamps([at], 10, aim_mm=(15 * np.tan(np.deg2rad(60)), 0.0, APEX_MM))
    assert corneal_exposure(aside).apex_w_m2 == pytest.approx(44.44 / 2, rel=1e-3)  # half angle 60°


def test_the_brightest_specimen_counts():
    typical = altered(RING_PARTS, parts={"emitter": RING_PARTS.parts.emitter.model_copy(
        update={"radiant_intensity_max_mw_sr": None})})  # fmt: skip
    ratio = corneal_exposure(RING_PARTS).greatest_w_m2 / corneal_exposure(typical).greatest_w_m2
    assert ratio == pytest.approx(15 / 10)


def test_above_a_tenth_of_the_limit_is_warned_of_and_above_the_limit_refused():
    assert check_exposure(load_headset("ring16")) is None  # no LED current, nothing to judge
    assert check_exposure(RING_PARTS) is None
    warning = check_exposure(RING_PARTS.with_led_current(50))
    assert "22.4 W/m²" in warning
    bright = altered(RING_PARTS.with_led_current(50), drive={"multiplexing": "none"})
    with pytest.raises(SafetyError, match="the limit is 100 W/m²"):
        check_exposure(bright)
    with pytest.raises(SafetyError, match="ring16_parts puts"):
        make_episodes(bright, users=1, poses=1, samples=1, seed=0)


@pytest.fixture
def unsafe(tmp_path):
    path = tmp_path / "unsafe.toml"
    text = EXAMPLE.read_text("utf-8").replace("led_current_ma = 20", "led_current_ma = 60")
    path.write_text(text.replace('multiplexing = "time"', 'multiplexing = "none"'), "utf-8")
    return path


def psog_command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "psog", *words], capture_output=True, text=True, timeout=200)


def test_simulate_refuses_an_unsafe_headset_and_writes_nothing(unsafe, tmp_path):
    run = psog_command("simulate", str(unsafe), "--out", str(tmp_path / "made"))
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "W/m² on the cornea; the limit is 100" in run.stderr
    assert not (tmp_path / "made").exists()


def test_show_tells_how_much_light_reaches_the_eye_and_where():
    assert "at most 9.0 W/m²" in exposure_line(RING_PARTS)
    assert "not known" in exposure_line(load_headset("ring16"))
    axes = pytest.importorskip("matplotlib.figure").Figure().subplots()
    draw_exposure(axes, RING_PARTS)
    assert "at most 9.0 W/m²" in axes.get_title()
    assert axes.lines[0].get_xydata()[0] == pytest.approx(corneal_exposure(RING_PARTS).worst_mm[:2])


def test_bench_electronics_prints_one_json_document():
    words = ["--current-ma", "10", "20", "--ambient", "dark", "sun", "--json"]
    found = json.loads(psog_command("bench", "electronics", str(EXAMPLE), *words).stdout)
    assert [(row["led_current_ma"], row["ambient"]) for row in found["rows"]] == [
        (10, "dark"), (10, "sun"), (20, "dark"), (20, "sun")
    ]  # fmt: skip
    assert all(len(row["snr"]) == 16 for row in found["rows"])
    assert found["rows"][2]["corneal_w_m2"] == pytest.approx(
        corneal_exposure(RING_PARTS).greatest_w_m2, abs=0.01
    )


def test_a_warning_is_one_line_however_narrow_the_terminal(tmp_path):
    path = tmp_path / "bright.toml"
    path.write_text(EXAMPLE.read_text("utf-8").replace("led_current_ma = 20", "led_current_ma = 50"), "utf-8")
    words = StringIO()
    warn_of_exposure(load_headset(path), Console(file=words, width=40))
    assert words.getvalue().startswith("warning: ring16_parts puts 22.4 W/m² on the cornea")
    assert words.getvalue().count("\n") == 1
