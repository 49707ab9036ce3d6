"""`psog adapt`, as typed."""

import json

import pytest

from psog.cli.main import main
from psog.net.store import load_model
from psog.recording import read_recording, write_recording


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Five people's recording, two of them alone, and five without gaze."""
    folder = tmp_path_factory.mktemp("people")
    words = ["--users", "5", "--seconds", "4", "--seed", "4", "--slip-mm", "1"]
    main(["simulate", "ring16", "--out", str(folder / "five"), *words])
    five = read_recording(folder / "five")
    write_recording(five.take(slice(0, 8_000)), folder / "two")
    del five.columns["gaze_h_deg"]
    write_recording(five, folder / "blind")
    return folder


@pytest.mark.usefixtures("one_thread")
def test_it_says_where_the_model_comes_from(tiny_model, people, tmp_path, capsys):
    words = ["--steps", "2", "--seed", "7", "--simulated-users", "20", "--json"]
    out = tmp_path / "out"
    main(["adapt", str(tiny_model), str(people / "five"), "--out", str(out), *words])
    report = json.loads(capsys.readouterr().out)
    content = json.loads((out / "model.json").read_text())
    parent = json.loads((tiny_model / "model.json").read_text())
    assert content["stage"] == "headset" and content["training"]["seed"] == 7
    assert content["parent"] == {
        "name": tiny_model.name,
        "weights_sha256": parent["weights_sha256"],
        "stage": "population",
    }
    manifest = json.loads((people / "five/manifest.json").read_text())
    assert content["data"] == report["data"]
    assert content["data"]["files"] == [
        {"name": "five", "rows": 20_000, "sha256": manifest["shard_sha256"]},
    ]
    assert content["data"]["users"] == 5 and content["data"]["simulated_users"] == 20
    assert load_model(out).origin["stage"] == "headset"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]  # no state of a run is left


@pytest.mark.usefixtures("one_thread")
def test_recordings_of_several_headsets_make_a_fleet_s_model(tiny_model, people, tmp_path, capsys):
    five = read_recording(people / "five")
    for name, rows in {"unitA/day1": slice(0, 8_000), "unitB/day1": slice(8_000, 20_000)}.items():
        write_recording(five.take(rows), tmp_path / name)
    out, recordings = tmp_path / "fleet", [str(tmp_path / unit / "day1") for unit in ("unitA", "unitB")]
    words = ["--stage", "fleet", "--steps", "2", "--seed", "7", "--simulated-users", "20"]
    main(["adapt", str(tiny_model), *recordings, "--out", str(out), *words])
    assert "of 2 headsets, unitA (2), unitB (3)" in capsys.readouterr().err
    content = json.loads((out / "model.json").read_text())
    assert content["stage"] == "fleet" and content["parent"]["stage"] == "population"
    assert {name: of["users"] for name, of in content["data"]["headsets"].items()} == {"unitA": 2, "unitB": 3}
    assert load_model(out).origin["stage"] == "fleet"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["two"], "cannot adapt to 2 users who fixate often enough; at least 4"),
        (["blind"], "cannot adapt to .*blind: this recording has no gaze"),
        (["none"], "none"),
        (["five", "--simulated-share", "1"], "share of simulated users is 1"),
        (["five", "--steps", "0"], "training budget is steps=0"),
        (
            ["five", "--stage", "fleet"],
            "all recordings are of one headset, 'people.*'; a fleet is at least 2",
        ),
        (["five", "--designs", "ring16"], "--designs say something of --stage fleet"),
        (["five", "--headset", "grid15"], "the model is for headset 'ring16', expected 'grid15'"),
    ],
)
def test_what_cannot_be_done_is_one_line(tiny_model, people, tmp_path, words, told):
    recording, *options = words
    words = ["adapt", str(tiny_model), str(people / recording), "--out", str(tmp_path / "out"), *options]
    with pytest.raises(SystemExit, match=told):
        main([*words, "--simulated-users", "20"])
    assert not any(tmp_path.iterdir())
