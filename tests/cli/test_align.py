"""`psog align`, as typed."""

import json

import pytest

from psog.cli.main import main
from psog.net.store import load_model


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    main(
        ["simulate", "ring16", "--out", str(folder / "two"), "--users", "2", "--seconds", "16", "--seed", "4"]
    )
    return folder


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("method", ["standardise", "dare-gram"])
def test_it_says_where_the_model_comes_from(tiny_model, people, tmp_path, capsys, method):
    out = tmp_path / "out"
    words = ["--method", method, "--steps", "2", "--seed", "7", "--simulated-users", "20", "--json"]
    main(["align", str(tiny_model), str(people / "two"), "--out", str(out), *words])
    report = json.loads(capsys.readouterr().out)
    content = json.loads((out / "model.json").read_text())
    assert content["stage"] == "headset" and content["training"]["seed"] == 7
    assert content["parent"]["name"] == tiny_model.name
    assert content["data"] == report["data"] and content["data"]["method"] == method
    assert content["data"]["wearers"] == 2
    assert load_model(out).origin["stage"] == "headset"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none"], "none"),
        (["two", "--simulated-users", "3"], "3 users are too few"),
        (["two", "--weight", "-1"], "weight of the features' loss is -1"),
        (["two", "--headset", "grid15"], "the model is for headset 'ring16'"),
    ],
)
def test_what_cannot_be_done_is_one_line(tiny_model, people, tmp_path, words, told):
    recording, *options = words
    words = ["align", str(tiny_model), str(people / recording), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=told):
        main([*words, "--simulated-users", "20", *options])
    assert not any(tmp_path.iterdir())
