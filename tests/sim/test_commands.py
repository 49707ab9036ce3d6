"""psog simulate, psog show, psog bench sim, and the compiled kernels behind them."""

import json
import subprocess
import sys

import pytest

from psog.errors import MissingExtraError, SimulationError
from psog.headset import load_headset
from psog.recording import read_recording
from psog.sim.picture import draw_headset


def psog_command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "psog", *words], capture_output=True, text=True, timeout=200)


def test_simulate_writes_a_recording_and_refuses_to_replace_it(tmp_path):
    folder = tmp_path / "made"
    words = ["simulate", "ring16", "--users", "2", "--seconds", "0.2", "--seed", "1", "--out", str(folder)]
    assert psog_command(*words).returncode == 0
    assert len(read_recording(folder)) == 400
    again = psog_command(*words)
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1
    assert "already exists" in again.stderr
    assert psog_command(*words, "--force").returncode == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ring16", "--users", "0"], "0 users"),
        (["ring16", "--donning-mm", "-1"], "donning_mm"),
        (["ring99"], "ring99"),
        (["ring16", "--trace", "nothing.npy"], "nothing.npy"),
        (["ring16", "--task", "sleeping"], "viewing, saccades, calibration, reading, pursuit, vor"),
        (["ring16", "--task", "reading", "--trace", "trace.npy"], "either --task or --trace"),
        (["ring16", "--wear", "dancing"], "fixed, still, office, active"),
        (["ring16", "--ambient", "moon"], "dark, indoor, sun"),
        (["ring16", "--ambient", "sun"], "photocurrents are not known"),
    ],
)
def test_simulate_says_in_one_line_what_is_wrong(tmp_path, words, says):
    run = psog_command("simulate", *words, "--out", str(tmp_path / "made"))
    assert run.returncode == 1
    assert says in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "made").exists()


def test_bench_wear_draws_and_measures_and_refuses_to_replace(tmp_path):
    picture = tmp_path / "wear.png"
    run = psog_command("bench", "wear", "--users", "2", "--json", "--out", str(picture))
    found = json.loads(run.stdout)
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert 0 < found["moved"]["still"]["shift_mm"] < found["moved"]["active"]["shift_mm"] < 4.05
    assert found["cpu_ms_per_s"].keys() == {"fixed", *found["moved"]}
    again = psog_command("bench", "wear", "--users", "2", "--out", str(picture))
    assert again.returncode == 1
    assert "already exists" in again.stderr


def test_bench_prints_one_json_document():
    run = psog_command("bench", "sim", "ring16", "--poses", "20", "--json")
    found = json.loads(run.stdout)
    assert {"samples_per_s", "samples_per_cpu_s", "quadrature_error", "sensors", "samples_per_pose"} <= set(
        found
    )
    assert (found["sensors"], found["samples_per_pose"]) == (16, 64)
    assert 0 < found["quadrature_error"] < 0.004


@pytest.mark.slow
def test_show_draws_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "ring16.png"
    draw_headset(load_headset("ring16"), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 100_000
    with pytest.raises(SimulationError, match=r"cannot write .* no folder"):
        draw_headset(load_headset("ring16"), tmp_path / "missing" / "ring16.png")
    assert [entry.name for entry in tmp_path.iterdir()] == ["ring16.png"]


def test_show_names_the_extra_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"psog\[plot\]"):
        draw_headset(load_headset("ring16"), tmp_path / "ring16.png")


def test_a_gallery_is_drawn_and_not_drawn_over(tmp_path):
    picture = tmp_path / "gallery.png"
    words = ["show", "ring16", "--gallery", "--out", str(picture)]
    assert psog_command(*words).returncode == 0
    drawn = picture.read_bytes()
    again = psog_command(*words)
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert picture.read_bytes() == drawn
