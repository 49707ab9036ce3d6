"""`psog personalise`: a model for one user."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from psog.cli.main import main
from psog.firmware_export.export import export_model
from psog.headset import load_headset
from psog.net.architecture import standard
from psog.net.fine_tune import FineTuning
from psog.net.loop import TrainingConfig
from psog.net.store import load_model, save_model
from psog.net.training import train
from psog.recording import read_recording, write_recording
from psog.sim.episodes import make_episodes


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model with an embedding, one user's calibration, and the same user later."""
    folder = tmp_path_factory.mktemp("personal")
    headset = load_headset("ring16")
    torch.set_num_threads(1)
    architecture = replace(standard(headset), embedding=8)
    episodes = make_episodes(headset, users=200, poses=3, seed=1)
    save_model(
        folder / "told", *train(episodes, headset, TrainingConfig(steps=500, architecture=architecture))
    )
    for name, users in (("one", 1), ("two", 2)):
        words = ["--users", str(users), "--seconds", "24", "--seed", "4", "--task", "calibration"]
        main(["simulate", "ring16", "--out", str(folder / name), *words])
    whole = read_recording(folder / "one")
    write_recording(part(whole, slice(0, 15_000)), folder / "first")
    write_recording(part(whole, slice(15_000, None)), folder / "later")
    write_recording(part(whole, slice(0, 30)), folder / "short")
    return folder


def part(recording, rows):
    columns = {name: values[rows] for name, values in recording.columns.items()}
    return replace(recording, t_us=recording.t_us[rows], readings=recording.readings[rows], columns=columns)


def evaluate(capsys, model, recording):
    main(["evaluate", str(model), str(recording), "--json"])
    return json.loads(capsys.readouterr().out)["files"][recording.name]["int8"]["mean_deg"]


def test_a_personal_model_sees_its_user_better_and_says_where_it_comes_from(place, tmp_path, capsys):
    own = tmp_path / "own"
    main(["personalise", str(place / "told"), str(place / "first"), "--out", str(own), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["training"] == {"kind": "personal", "embedding": True}
    (file,) = report["data"]["files"]
    manifest = json.loads((place / "first/manifest.json").read_text())
    assert file == {"name": "first", "rows": 15_000, "sha256": manifest["shard_sha256"]}
    told = json.loads((place / "told/model.json").read_text())
    assert report["stage"] == "user" and told["stage"] == "population"
    assert report["parent"] == {
        "name": "told",
        "weights_sha256": told["weights_sha256"],
        "stage": "population",
    }
    assert load_model(own).report["parent"] == report["parent"]
    assert evaluate(capsys, own, place / "later") < 0.5 * evaluate(capsys, place / "told", place / "later")


def test_with_fine_tuning_it_says_what_that_came_to(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("psog.net.fine_tune.FineTuning", partial(FineTuning, lengths=(10,)))
    words = ["personalise", str(place / "told"), str(place / "one"), "--fine-tune", "--seed", "5"]
    main([*words, "--out", str(tmp_path / "own")])
    content = json.loads((tmp_path / "own/model.json").read_text())
    assert content["stage"] == "user" and content["training"]["seed"] == 5
    found = content["training"]["fine_tuning"]
    assert [run["steps"] for run in found["tried"]] == [10]
    said = "fine-tuned: " if found["kept"] == "fine-tuned" else "not fine-tuned, because"
    assert said in capsys.readouterr().err
    export_model(load_model(tmp_path / "own").net, load_headset("ring16"), tmp_path / "export")


def test_it_is_exported_as_any_other(place, tmp_path, capsys):
    main(["personalise", str(place / "told"), str(place / "first"), "--out", str(tmp_path / "own")])
    report = export_model(load_model(tmp_path / "own").net, load_headset("ring16"), tmp_path / "export")
    assert report["headset"] == "ring16"


def test_a_model_that_cannot_be_told_gets_its_user_s_head(place, tiny_model, tmp_path, capsys):
    own = tmp_path / "own"
    main(["personalise", str(tiny_model), str(place / "first"), "--out", str(own)])
    assert "head fitted" in capsys.readouterr().err
    before, after = load_model(tiny_model).net, load_model(own).net
    np.testing.assert_array_equal(before.layers[0].bias, after.layers[0].bias)
    np.testing.assert_array_equal(before.head.weight[2], after.head.weight[2])
    assert not np.array_equal(before.head.weight[0], after.head.weight[0])


@pytest.mark.parametrize(
    ("recording", "told"),
    [("two", "it is of 2 users"), ("short", "fixations with an open eye, at least 50"), ("none", "none")],
)
def test_what_cannot_be_used_is_one_line_and_nothing_is_written(place, tmp_path, recording, told):
    with pytest.raises(SystemExit, match=told):
        main(["personalise", str(place / "told"), str(place / recording), "--out", str(tmp_path / "own")])
    assert not any(tmp_path.iterdir())


def test_a_model_is_replaced_only_if_told(place, tiny_model, tmp_path):
    words = ["personalise", str(place / "told"), str(place / "first"), "--out", str(tmp_path / "own")]
    main(words)
    with pytest.raises(SystemExit, match="already exists"):
        main(words)
    main([*words, "--force"])
