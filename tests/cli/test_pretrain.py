"""`psog pretrain`, as typed, and what the very next command makes of its model."""

import json

import numpy as np
import pytest

from psog.cli.main import main
from psog.net.store import load_model
from psog.recording import Recording, read_recording, write_recording


@pytest.fixture(scope="module")
def streams(tmp_path_factory):
    """Five people's recording with labels, the same without any, and recordings that are no use."""
    folder = tmp_path_factory.mktemp("streams")
    words = ["--users", "5", "--seconds", "10", "--seed", "4", "--slip-mm", "1"]
    main(["simulate", "ring16", "--out", str(folder / "labelled"), *words])
    labelled = read_recording(folder / "labelled")
    unlabelled = Recording("ring16", labelled.t_us, labelled.readings, {"user": labelled.columns["user"]})
    write_recording(unlabelled, folder / "unlabelled")
    write_recording(unlabelled.take(slice(0, 9_000)), folder / "short")
    write_recording(Recording("grid15", np.arange(9), np.ones((9, 15), np.float32)), folder / "other")
    return folder


@pytest.mark.usefixtures("one_thread")
def test_a_pretrained_model_is_the_parent_of_the_next_command(streams, tmp_path, capsys):
    pretrained, out = tmp_path / "pretrained", tmp_path / "headset"
    sources = ["ring16", str(streams / "unlabelled")]
    words = ["--users", "20", "--steps", "2", "--seed", "7", "--method", "byol", "--json"]
    main(["pretrain", *sources, "--out", str(pretrained), *words])
    report = json.loads(capsys.readouterr().out)
    content = json.loads((pretrained / "model.json").read_text())
    assert content["stage"] == "pretrained" and content["parent"] is None
    assert content["training"]["seed"] == 7 and content["training"]["method"] == "byol"
    manifest = json.loads((streams / "unlabelled/manifest.json").read_text())
    told = {"name": "unlabelled", "rows": 50_000, "sha256": manifest["shard_sha256"]}
    assert content["data"] == report["data"]
    assert content["data"]["files"] == [told] and content["data"]["simulated_users"] == 20
    assert content["data"]["wearers"] == 25 and content["data"]["moments"] > 20 * 64 + 99

    words = ["--steps", "2", "--simulated-users", "20"]
    main(["adapt", str(pretrained), str(streams / "labelled"), "--out", str(out), *words])
    assert json.loads((out / "model.json").read_text())["parent"] == {
        "name": "pretrained",
        "weights_sha256": content["weights_sha256"],
        "stage": "pretrained",
    }
    assert load_model(out).net.embedding is not None
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["headset", "pretrained"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["short"], "cannot pretrain on .* at least 100 expected; record for longer"),
        (["other", "ring16"], "other: recording is of headset 'grid15' with 15 sensors, expected 'ring16'"),
        (["ring16", "grid15"], "cannot pretrain on ring16 and grid15; expected recordings, or one headset"),
        ([], "cannot pretrain on nothing"),
        (["none"], "no headset named 'none'"),
        (["ring16", "--steps", "0"], "cannot pretrain for 0 steps"),
        (["ring16", "--users", "0"], "0 users"),
        (["ring16", "--method", "simclr"], "simclr"),
        (["ring16", "--learning-rate", "nan"], "learning rate is nan"),
    ],
)
def test_what_cannot_be_done_is_one_line(streams, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(streams)
    with pytest.raises(SystemExit, match=told) as stopped:
        main(["pretrain", *words, "--out", str(tmp_path / "out")])
    assert "\n" not in str(stopped.value)
    assert not any(tmp_path.iterdir())
