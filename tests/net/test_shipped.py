"""The models that come with psog."""

import json
from pathlib import Path

import pytest

from psog.cli.main import main
from psog.firmware_export.image import headset_name, load_image
from psog.headset import load_headset
from psog.net.evaluation import evaluate
from psog.net.recovery_file import load_recovery
from psog.net.shipped import model_place, shipped_folders
from psog.net.store import load_model
from psog.sim.episodes import make_test_episodes

NAMES = ["grid15", "ring16"]
LARGEST_BYTES = 200_000


def test_every_built_in_headset_has_one():
    assert list(shipped_folders()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_is_small_and_tells_where_it_comes_from(name):
    folder = shipped_folders()[name]
    assert sum(file.stat().st_size for file in folder.iterdir()) <= LARGEST_BYTES
    model = load_model(Path(name))
    assert model.net.headset == name
    assert model.net.embedding is not None
    assert model.report["training"]["seed"] == 0 and model.report["data"]["users"] == 8000
    assert model.report["evaluation"]["users"] == 80


@pytest.mark.parametrize("name", NAMES)
def test_what_slips_teach_comes_with_a_shipped_model_and_belongs_to_its_weights(name):
    folder = shipped_folders()[name]
    recovery = load_recovery(folder, load_model(folder).net)
    assert recovery is not None
    assert 0.3 < recovery.noise_deg < 1.2  # fixation alone; a model that is worse than these


@pytest.mark.parametrize(("name", "at_most_deg"), [("grid15", 1.0), ("ring16", 1.6)])
def test_a_shipped_model_is_as_good_as_its_report(name, at_most_deg):
    headset, model = load_headset(name), load_model(Path(name))
    episodes = make_test_episodes(headset, users=30, seed=41, slips_mm=(0.0,))
    found = evaluate(model.net, episodes, headset, (0.0,))["int8"]["slips"]["0"]["median_deg"]
    reported = model.report["evaluation"]["int8"]["slips"]["0"]["median_deg"]
    assert found < at_most_deg
    assert found == pytest.approx(reported, rel=0.3)  # other users, and fewer


def test_a_shipped_model_is_named_where_a_folder_is_expected(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert headset_name(load_image(Path("ring16"))) == "ring16"
    main(["export", "grid15", "--out", "export", "--no-measure"])
    report = json.loads(Path("export/report.json").read_text("utf-8"))
    assert report["headset"] == "grid15"
    capsys.readouterr()


def test_a_folder_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ring16").mkdir()
    assert model_place(Path("ring16")) == Path("ring16")
    assert model_place(Path("nobody")) == Path("nobody")
