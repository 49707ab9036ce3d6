"""The standing table of gaze errors."""

import json
from dataclasses import replace

import numpy as np
import pytest

from psog.cli.main import main
from psog.headset import load_headset
from psog.net.calibrated import int8_features
from psog.net.evaluation import evaluate, noisy_wire
from psog.net.gaze_errors import gaze_errors
from psog.net.loop import TrainingConfig
from psog.net.store import load_model
from psog.net.training import train
from psog.sim.episodes import make_test_episodes
from tests.net.conftest import SMALL, toy_episodes


@pytest.fixture(scope="module")
def measured(tiny_model):
    """Errors of the tiny model on eight users: uncalibrated, by one sample of each target, by all."""
    net, headset = load_model(tiny_model).net, load_headset("ring16")
    episodes = make_test_episodes(headset, users=8, seed=5, slips_mm=(0.0, 2.0))
    wire = noisy_wire(episodes, headset, 5)
    samples = wire.shape[2]
    chosen = [np.zeros(samples, bool), np.arange(samples) % 7 == 0, np.ones(samples, bool)]
    return evaluate(net, episodes, headset, (0.0, 2.0), 5), gaze_errors(
        net, int8_features, wire, episodes, chosen
    )


def test_errors_are_those_of_the_evaluation(measured):
    known, errors = measured
    assert errors.shape == (3, 8, 2, 63)
    medians = np.median(errors.mean(axis=-1), axis=1)
    assert medians[0, 0] == pytest.approx(known["int8"]["uncalibrated"]["median_deg"], abs=1e-3)
    for index, slip in enumerate(("0", "2")):
        assert medians[2, index] == pytest.approx(known["int8"]["slips"][slip]["median_deg"], abs=1e-3)


def test_more_samples_of_a_calibration_help(measured):
    _, errors = measured
    none, few, all_of_them = errors[:, :, 0].mean(axis=(1, 2))
    assert all_of_them < few < none


def test_the_command_tells_every_calibration_and_slip_of_all_models(tiny_model, capsys):
    words = ["bench", "gaze", str(tiny_model), str(tiny_model), "--users", "3", "--json"]
    main(words)
    found = json.loads(capsys.readouterr().out)["headsets"]["ring16"]
    assert found["models"] == 2
    for form in ("float", "int8"):
        assert list(found[form]) == ["0", "1", "5", "9", "13", "25"]
        for row in found[form].values():
            assert list(row) == ["0", "0.5", "1", "2", "4"]
    cell = found["int8"]["9"]["0"]
    assert cell["median_deg"][1] == 0  # twice the same model
    assert cell["median_deg"][0] < found["int8"]["0"]["0"]["median_deg"][0]
    main(words[:-1])
    assert "3 unseen users (seed 999), 2 models" in capsys.readouterr().out


def test_a_calibration_can_be_used_for_the_head_or_the_numbers_alone():
    ring16 = load_headset("ring16")
    episodes = toy_episodes("ring16", users=60, seed=2)
    config = TrainingConfig(steps=300, seed=3, architecture=replace(SMALL, embedding=4))
    net, _ = train(episodes, ring16, config)
    wire = ring16.to_wire(episodes.readings)
    every = [np.ones(wire.shape[2], bool)]
    both, head, numbers = (
        gaze_errors(net, int8_features, wire, episodes, every, way=way).mean()
        for way in ("both", "head", "numbers")
    )
    assert len({both, head, numbers}) == 3 and both < numbers
    stranger = gaze_errors(net, int8_features, wire, episodes, [np.zeros_like(every[0])]).mean()
    assert max(head, numbers) < stranger


def test_the_bound_is_set_beside_the_errors(tiny_model, capsys):
    words = ["--points", "0", "1", "5", "--slips-mm", "0", "--bound", "--bound-users", "1", "--json"]
    main(["bench", "gaze", str(tiny_model), "--users", "2", *words])
    bounds = json.loads(capsys.readouterr().out)["headsets"]["ring16"]["bound_deg"]
    assert bounds["0"]["0"] > bounds["1"]["0"] > bounds["5"]["0"] > 0.1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no model"),
        (["nowhere"], "nowhere is not a model"),
        (["MODEL", "--users", "0"], "users is 0"),
        (["MODEL", "--points", "26"], "26 targets"),
    ],
)
def test_what_cannot_be_measured_is_one_line(tiny_model, words, told):
    with pytest.raises(SystemExit, match=told):
        main(["bench", "gaze", *(str(tiny_model) if word == "MODEL" else word for word in words)])
