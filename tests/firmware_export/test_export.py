"""psog export: one new folder with everything a device needs, or one line that says why not."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from psog.cli.main import main
from psog.errors import ModelError
from psog.firmware_export.export import export_model
from psog.firmware_export.image import read_image
from psog.headset import load_headset
from psog.net.store import save_model
from tests.random_nets import random_net

FILES = {"gaze.tflite", "gaze.psog", "gaze_tflite.h", "psog_lean.h", "report.json", "tflm"}


def psog_export(*words):
    return subprocess.run(
        [sys.executable, "-m", "psog", "export", "--no-measure", *map(str, words)],
        capture_output=True,
        text=True,
    )


def refusal(*words):
    """The line with which the command gives up."""
    with pytest.raises(SystemExit) as stop:
        main(["export", *map(str, words)])
    return str(stop.value)


@pytest.fixture
def model(tmp_path):
    net, _ = random_net(0, "valid", load_headset("grid15"))
    save_model(tmp_path / "model", net, {})
    return tmp_path / "model"


def test_the_folder_holds_every_file_and_the_report_describes_them(tmp_path):
    net, headset = random_net(0, "same")
    report = export_model(net, headset, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    for name, size in report["sizes"].items():
        assert (tmp_path / "out" / name).stat().st_size == size
    assert (report["macs"], report["parameters"]) == (net.macs, net.parameters)
    assert sum(layer["macs"] for layer in report["layers"]) + 4 * net.feature_count == net.macs


def test_the_report_counts_bytes_and_padding(tmp_path):
    """conv16, conv16 on 3×5 with padding: a third of the products meet padding (91 of 135 taps are real)."""
    net, headset = random_net(0, "same")
    report = export_model(net, headset, tmp_path / "out")
    first, second, third = report["layers"]
    assert first["macs_without_padding"] * 135 == first["macs"] * 91
    assert second["macs_without_padding"] * 135 == second["macs"] * 91
    assert third["macs_without_padding"] == third["macs"] == 2400
    assert report["bytes"]["weights"] == 9 * 16 + 9 * 16 * 16 + 240 * 10
    assert report["bytes"]["biases"] == 4 * (16 + 16 + 10)
    assert report["bytes"]["head"] == 4 * 4 * 11
    image = read_image((tmp_path / "out" / "gaze.psog").read_bytes())
    assert report["activation_bytes"] == image.activation_bytes == 480


@pytest.mark.parametrize("compiler", [("gcc", "-std=c11", "-xc"), ("g++", "-std=c++17", "-xc++")])
def test_the_c_array_is_the_file(compiler, tmp_path):
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"{compiler[0]} is not installed")
    net, headset = random_net(0, "mixed")
    export_model(net, headset, tmp_path / "out")
    source = tmp_path / "main.c"
    source.write_text(
        '#include <stdint.h>\n#include <stdio.h>\n#include "out/gaze_tflite.h"\n'
        "int main(void) {\n"
        "    fwrite(psog_gaze_tflite, 1, sizeof psog_gaze_tflite, stdout);\n"
        "    return (int)((uintptr_t)psog_gaze_tflite % 16);\n}\n"
    )
    program = tmp_path / "main"
    flags = ["-Wall", "-Wextra", "-Werror", str(source), "-o", str(program)]
    subprocess.run([*compiler, *flags], check=True)
    run = subprocess.run([program], capture_output=True, check=True)
    assert run.stdout == (tmp_path / "out" / "gaze.tflite").read_bytes()


@pytest.mark.parametrize(("plan", "resolver"), [("dense", ""), ("same", "AddConv2D, ")])
def test_the_c_array_names_the_operators_it_needs(plan, resolver, tmp_path):
    net, headset = random_net(0, plan)
    export_model(net, headset, tmp_path / "out")
    text = (tmp_path / "out" / "gaze_tflite.h").read_text()
    assert f"exactly: {resolver}AddFullyConnected, AddDequantize." in text


def test_an_existing_folder_is_kept_unless_forced(tmp_path):
    net, headset = random_net(0)
    out = tmp_path / "out"
    export_model(net, headset, out)
    before = (out / "gaze.psog").read_bytes()
    other, _ = random_net(1)
    with pytest.raises(ModelError, match="already exists; choose another folder or pass --force"):
        export_model(other, headset, out)
    assert (out / "gaze.psog").read_bytes() == before
    export_model(other, headset, out, force=True)
    assert (out / "gaze.psog").read_bytes() != before
    assert {path.name for path in out.iterdir()} == FILES


def test_force_replaces_nothing_but_an_export(tmp_path):
    net, headset = random_net(0)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelError, match="is not an export"):
        export_model(net, headset, tmp_path, force=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_refused_model_leaves_nothing_behind(tmp_path):
    net, _ = random_net(0)
    with pytest.raises(ModelError, match="given 'ring16'"):
        export_model(net, load_headset("ring16"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_may_be_forced_by_any_of_its_names(tmp_path, monkeypatch):
    net, headset = random_net(0)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    export_model(net, headset, Path(), force=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    net, headset = random_net(0)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match=r"cannot write export .*file/out"):
        export_model(net, headset, tmp_path / "file" / "out")


def test_the_command_prints_one_json_document_and_nothing_else(model, tmp_path):
    run = psog_export(model, "--out", tmp_path / "out", "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    image = read_image((tmp_path / "out" / "gaze.psog").read_bytes())
    assert (image.headset, report["headset"]) == ("grid15", "grid15")


def test_the_command_shows_layers_and_sizes(model, tmp_path, capsys):
    main(["export", str(model), "--out", str(tmp_path / "out"), "--no-measure"])
    shown = capsys.readouterr().out
    assert re.search(r"conv valid.*3×5×1.*1×3×32.*864", shown)
    assert f"{(tmp_path / 'out' / 'gaze.tflite').stat().st_size:,} bytes" in shown


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["MODEL", "--out", "OUT", "--headset", "ring16"], "the model is for headset 'grid15'"),
        (["NOWHERE", "--out", "OUT"], "is not a model"),
        (["MODEL", "--out", "MODEL"], "already exists"),
        (["MODEL", "--out", "MODEL", "--force"], "is not an export"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(words, complaint, model, tmp_path, capsys):
    places = {"MODEL": model, "OUT": tmp_path / "out", "NOWHERE": tmp_path / "nowhere"}
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    line = refusal(*(places.get(word, word) for word in words))
    assert complaint in line and "\n" not in line
    assert capsys.readouterr().out == ""
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    assert not (tmp_path / "out").exists()


def test_damaged_weights_are_not_exported(model, tmp_path):
    weights = model / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert "damaged" in refusal(model, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_exports_of_two_processes_agree_to_the_byte(model, tmp_path):
    assert psog_export(model, "--out", tmp_path / "a").returncode == 0
    main(["export", str(model), "--out", str(tmp_path / "b"), "--no-measure"])
    exports = (tmp_path / "a", tmp_path / "b")
    one, other = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*.*")} for f in exports)
    assert one == other
