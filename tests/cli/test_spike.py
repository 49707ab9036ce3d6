"""`psog spike` and `psog bench spiking`, as typed."""

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from safetensors.numpy import load_file

from psog.benchmarks.pieces import Pieces
from psog.benchmarks.spiking import measure, tables
from psog.benchmarks.spiking_picture import draw_spiking, front
from psog.benchmarks.spiking_study import SHORT
from psog.cli.main import main
from psog.errors import PsogError
from psog.firmware_export.toolchain import available_boards
from psog.net.store import load_model


def test_spike_writes_the_network_and_says_what_it_costs(tmp_path, capsys, one_thread):
    out = tmp_path / "out"
    words = ["spike", "ring16", "--out", str(out), "--timesteps", "6", "--users", "2", "--nir", "--json"]
    main(words)
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((out / "report.json").read_text("utf-8"))
    assert [row["timesteps"] for row in report["spiking"]] == [4, 6]
    assert report["int8"]["macs"] == load_model(Path("ring16")).net.macs - 4 * 32
    assert report["int8"]["without_zeros"]["macs"] < report["int8"]["macs"]
    assert 0 < report["int8"]["median_deg"] < report["spiking"][1]["median_deg"] < 20
    tensors = load_file(out / "spiking.safetensors")
    assert tensors["layer1.weight"].shape == (96, 256) and (tensors["layer1.threshold"] > 0).all()
    assert (out / "gaze.nir").read_bytes().startswith(b"\x89HDF")
    with pytest.raises(SystemExit, match="already exists"):
        main(words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--timesteps", "2000"], "timesteps 2000, expected 1 to 1024"),
        (["--weight-bits", "9"], "weight bits 9"),
        (["--headset", "grid15"], "the model is for headset 'ring16', expected 'grid15'"),
        (["--users", "0"], "users is 0"),
    ],
)
def test_what_cannot_be_converted_is_one_line_and_nothing_is_written(tmp_path, words, told):
    with pytest.raises(SystemExit, match=told):
        main(["spike", "ring16", "--out", str(tmp_path / "out"), *words])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def document():
    """The short form, of ring16."""
    return measure((Path("ring16"),), SHORT, Console(quiet=True))


def test_the_bench_judges_what_the_sweep_chose(document):
    assert json.loads(json.dumps(document, allow_nan=False))["seeds"] == 2
    found = document["headsets"]["ring16"]
    assert found["tried"] == len(found["sweep"]) == 8
    at_four = [row for row in found["sweep"] if (row["timesteps"], row["weight_bits"]) == (4, 8)]
    best = min(at_four, key=lambda row: row["median_deg"])
    assert found["judged"]["4 steps"]["config"]["threshold"] == best["threshold"]
    assert found["judged"]["int8"]["paired_deg"]["mean"] == 0
    assert np.shape(found["judged"]["64 steps"]["median_deg"]["each"]) == (2, 1)
    few, many = (found["judged"][f"{steps} steps"] for steps in (4, 64))
    assert few["integer_nj"] < many["integer_nj"] and few["paired_deg"]["mean"] > many["paired_deg"]["mean"]


@pytest.mark.skipif("mps2-an386" not in available_boards(), reason="no cross compiler or no QEMU")
def test_the_bench_counts_a_microcontrollers_instructions(document):
    int8, few, many = document["headsets"]["ring16"]["microcontroller"]["rows"]
    assert int8["timesteps"] is None and (few["timesteps"], many["timesteps"]) == (4, 64)
    assert int8["instructions"] < few["instructions"] < many["instructions"]


def test_its_tables_and_its_picture_can_be_made(document, tmp_path):
    judged, *_ = tables(document)
    assert [row[0] for row in judged.rows][:3] == ["int8", "int8, zeros left out", "4 steps"]
    draw_spiking(document, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_the_front_has_what_nothing_else_beats():
    rows = [{"integer_nj": nj, "median_deg": deg} for nj, deg in [(3, 2), (1, 5), (2, 6), (4, 2), (5, 1)]]
    assert [row["integer_nj"] for row in front(rows)] == [1, 3, 5]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ring16", "ring16"], "two models of ring16 are named ring16"),
        (["--timesteps", "4", "32"], "--timesteps is 4 32; expected rising numbers, 64 among them"),
        (["--timesteps", "64", "4"], "--timesteps is 64 4"),
        (["--out", "picture.jpg"], "ends in .png"),
    ],
)
def test_what_the_bench_cannot_do_is_one_line(words, told):
    with pytest.raises(SystemExit, match=told):
        main(["bench", "spiking", *words, "--short"])


def test_parts_that_are_kept_are_not_made_again_and_belong_to_one_protocol(tmp_path):
    kept = tmp_path / "kept.json"
    first = Pieces(kept, {"users": 3})
    assert first.get("a", lambda: {"deg": 1.5}) == {"deg": 1.5}
    assert Pieces(kept, {"users": 3}).get("a", lambda: pytest.fail("made again")) == {"deg": 1.5}
    with pytest.raises(PsogError, match="of another protocol"):
        Pieces(kept, {"users": 4})
    kept.write_text("[]", "utf-8")
    with pytest.raises(PsogError, match="does not hold parts of a benchmark"):
        Pieces(kept, {"users": 3})
