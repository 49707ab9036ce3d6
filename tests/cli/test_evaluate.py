"""`psog evaluate`, as typed: on recordings and on unseen users; its page; what it refuses."""

import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from psog.cli.evaluation_page import evaluation_page
from psog.cli.main import main
from psog.headset import load_headset
from psog.net.store import save_model
from psog.recording import Recording, write_recording
from psog.sim.config import SimulationConfig
from psog.sim.simulate import simulate
from tests.data_paths import needs_shared_data, psog_nn
from tests.random_nets import random_net

RING16 = load_headset("ring16")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a model of random weights and two recordings of psog simulate's, of 1 s and 0.5 s."""
    folder = tmp_path_factory.mktemp("evaluate")
    net, _ = random_net(3, "dense", headset=RING16)
    save_model(folder / "model", net, {})
    for name, seconds, seed in (("long", 1, 5), ("short", 0.5, 6)):
        config = SimulationConfig(RING16, users=2, seconds=seconds, seed=seed)
        write_recording(simulate(config), folder / name)
    return folder


def evaluate(capsys, *words: object) -> tuple[str, str]:
    """What the command prints, to standard output and to standard error."""
    main(["evaluate", *map(str, words)])
    said = capsys.readouterr()
    return said.out, said.err


def refusal(capsys, *words: object) -> str:
    """The one line with which the command ends, after printing nothing."""
    with pytest.raises(SystemExit) as ended:
        evaluate(capsys, *words)
    assert capsys.readouterr().out == ""
    assert isinstance(ended.value.code, str)  # which Python prints, and exits with 1
    assert "\n" not in ended.value.code
    return ended.value.code


class Page(HTMLParser):
    """What is in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def test_json_has_the_errors_of_every_recording_and_of_all(place, capsys):
    out, _ = evaluate(capsys, place / "model", place / "long", place / "short", "--json")
    found = json.loads(out)
    assert list(found["files"]) == ["long", "short"]
    for report in (*found["files"].values(), found["all"]):
        assert all(report[form][key] > 0 for form in ("float", "int8") for key in ("mean_deg", "p95_deg"))
    assert found["all"]["samples"] == 3000
    assert [row["user"] for row in found["all"]["users"]] == ["long 0", "long 1", "short 0", "short 1"]
    assert found["macs"] > 0 and found["parameters"] > 0


@needs_shared_data
def test_a_third_party_file_has_the_errors_that_bench_recordings_prints(place, tmp_path, capsys):
    from psog.benchmarks.recordings import _errors
    from psog.third_party import read_psog_nn

    grid15 = load_headset("grid15")
    net, _ = random_net(2, "dense", headset=grid15)
    save_model(tmp_path / "model", net, {})
    path = psog_nn("exp1_TX_Combo_1")
    found = json.loads(evaluate(capsys, tmp_path / "model", path, "--json")[0])["files"][path.stem]
    for form, errors in _errors(net, grid15, read_psog_nn(path)).items():
        assert {key: found[form][key] for key in errors} == pytest.approx(errors, abs=1e-3)


def test_people_read_the_same_numbers(place, capsys):
    words = (place / "model", place / "long", place / "short")
    document = json.loads(evaluate(capsys, *words, "--json")[0])
    out, _ = evaluate(capsys, *words)
    for name in ("long", "short"):
        assert re.search(rf"{name} .*{document['files'][name]['int8']['mean_deg']:.3f}", out)
    assert "RMS-S2S" in out and "withheld" in out


def test_unseen_users_have_the_same_figures_as_recordings(place, capsys):
    found = json.loads(evaluate(capsys, place / "model", "--users", 3, "--seed", 2, "--json")[0])
    assert list(found["int8"]["slips"]) == ["0", "0.5", "1", "2"]
    report = found["files"]["unseen users"]
    assert [row["shift_mm"] for row in report["shifts"]] == [0, 0.5, 1, 2]
    users = [row["mean_deg"] for row in report["users"]]
    assert found["int8"]["slips"]["0"]["median_deg"] == pytest.approx(np.median(users), abs=1e-3)
    assert report["precision"]["rms_s2s_deg"] > 0


@pytest.mark.parametrize("on_users", [True, False])
def test_the_page_draws_three_figures_and_needs_nothing_else(place, tmp_path, capsys, on_users):
    page = tmp_path / "page.html"
    words = ["--users", 3] if on_users else [place / "long", place / "short"]
    out, _ = evaluate(capsys, place / "model", *words, "--html", page, "--json")
    text = page.read_text("utf-8")
    found = Page(text)
    assert found.tags.count("svg") == 3
    labels = [value for name, value in found.attributes if name == "aria-label"]
    assert [label.split(":")[0] for label in labels if label] == [
        "Mean error over gaze",
        "Error over shift of the headset",
        "Error over users",
    ]
    ids = [value for name, value in found.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = [value for name, value in found.attributes if name in ("src", "href", "xlink:href")]
    assert all(link is not None and link.startswith("#") for link in links)
    assert not re.search(r"<script|<link|@import|url\((?!#)", text)
    for value in (json.loads(out)["all"]["int8"]["mean_deg"], json.loads(out)["all"]["map"][0]["mean_deg"]):
        assert f"<td>{value:.3f}</td>" in text


def test_the_page_is_made_of_the_json_alone(place, tmp_path, capsys):
    """So it has the same bytes each time: no date, no random names."""
    page = tmp_path / "page.html"
    out, _ = evaluate(capsys, place / "model", place / "short", "--html", page, "--json")
    assert evaluation_page(json.loads(out)) == page.read_text("utf-8")


def test_names_are_no_markup(place, tmp_path, capsys):
    odd = tmp_path / "<b>&amp;"
    write_recording(simulate(SimulationConfig(RING16, users=1, seconds=1, seed=1)), odd)
    page = tmp_path / "page.html"
    evaluate(capsys, place / "model", odd, "--html", page)
    assert "&lt;b&gt;&amp;amp;" in page.read_text("utf-8")
    assert "b" not in Page(page.read_text("utf-8")).tags


def test_a_page_is_replaced_only_if_told(place, tmp_path, capsys):
    page = tmp_path / "page.html"
    page.write_text("mine", "utf-8")
    words = (place / "model", place / "short", "--html", page)
    assert "already exists; choose another path or pass --force" in refusal(capsys, *words)
    assert page.read_text("utf-8") == "mine"
    evaluate(capsys, *words, "--force")
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_page_that_cannot_be_made_leaves_what_was_there(place, tmp_path, capsys, monkeypatch):
    """Drawing fails after the evaluation: the old page stays, and no piece of a new one."""
    page = tmp_path / "page.html"
    page.write_text("mine", "utf-8")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    words = (place / "model", place / "short", "--html", page, "--force")
    assert "No space left on device" in refusal(capsys, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert page.read_text("utf-8") == "mine"


def test_without_matplotlib_it_says_what_to_install(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    words = (place / "model", place / "short", "--html", tmp_path / "page.html")
    assert "pip install 'psog[plot]'" in refusal(capsys, *words)


@pytest.fixture
def bad(tmp_path, monkeypatch):
    """The folder one is in, with a recording of each kind that cannot be judged."""
    good = simulate(SimulationConfig(RING16, users=1, seconds=0.2, seed=1))
    saturated = good.readings.copy()
    saturated[:, 4] = RING16.adc.full_scale - 1
    nan = good.readings.copy()
    nan[7, 2] = np.nan
    no_gaze = {name: values for name, values in good.columns.items() if not name.startswith("gaze")}
    for name, headset, readings, columns in (
        ("other", "grid15", good.readings[:, :15], good.columns),
        ("empty", "ring16", good.readings[:0], {k: v[:0] for k, v in good.columns.items()}),
        ("gazeless", "ring16", good.readings, no_gaze),
        ("nan", "ring16", nan, good.columns),
        ("saturated", "ring16", saturated, good.columns),
    ):
        write_recording(Recording(headset, good.t_us[: len(readings)], readings, columns), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["other"], "other: recording is of headset 'grid15' with 15 sensors, expected 'ring16' with 16"),
        (["empty"], "empty: it has no rows"),
        (["gazeless"], "gazeless: this recording has no gaze"),
        (["nan"], "a reading that is not a number in row 7"),
        (["saturated"], "saturated: sensor 4 is saturated in 100 %"),
        (["missing"], "missing"),
        (["{place}/short", "{place}/short"], "two recordings have this name"),
        (["{place}/short", "--calibration-s", "-1"], "--calibration-s is -1; expected 0 or more"),
        (["{place}/short", "--calibration-s", "60"], "no gaze is left to judge after 60 s of calibration"),
        (["--calibration-s", "5"], "--calibration-s is about recordings"),
        (["--users", "0"], "users is 0, expected at least 1"),
        (["{place}/short", "--html", "page.txt"], "expected a path that ends in .html"),
        (["{place}/short", "--html", "nowhere/page.html"], "there is no folder nowhere"),
        (["{place}/short", "--headset", "grid15"], "the model is for headset 'ring16', expected 'grid15'"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line(place, bad, capsys, words, message):
    before = sorted(bad.iterdir())
    assert message in refusal(capsys, place / "model", *(word.format(place=place) for word in words))
    assert sorted(bad.iterdir()) == before
