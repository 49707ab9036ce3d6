"""A run that was stopped goes on where it was, and ends where it would have ended."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from psog.errors import ModelError
from psog.net.loop import TrainingConfig
from psog.net.store import load_model
from psog.net.tensors import pack
from psog.net.training import train, unfinished
from tests.net.conftest import SMALL, toy_episodes

CONFIG = TrainingConfig(steps=260, seed=3, architecture=SMALL)
DATA = {"users": 40}


class StoppedError(Exception):
    """What stops a run in these tests."""


@pytest.fixture
def often(monkeypatch):
    """Every step is saved."""
    monkeypatch.setattr("psog.net.checkpoint.SAVE_EVERY_S", 0.0)


@pytest.fixture(scope="module")
def episodes():
    return toy_episodes("ring16", users=40, seed=1)


def stop_at(step):
    def progress(at):
        if at.step == step:
            raise StoppedError

    return progress


def tensors_of(net):
    return pack(net)[1]


@pytest.mark.parametrize("step", [50, 200], ids=["float", "int8"])
def test_a_stopped_run_ends_in_the_same_network(tmp_path, ring16, episodes, often, step):
    whole, report = train(episodes, ring16, CONFIG)
    model = tmp_path / "new folder" / "model"
    checkpoint = unfinished(model, ring16, CONFIG, DATA)
    with pytest.raises(StoppedError):
        train(episodes, ring16, CONFIG, stop_at(step), checkpoint)
    steps = []
    again = unfinished(model, ring16, CONFIG, DATA)
    net, goes_on = train(episodes, ring16, CONFIG, lambda at: steps.append(at.step), again)
    assert min(steps) >= step
    assert goes_on["history"] == report["history"]
    for name, tensor in tensors_of(whole).items():
        np.testing.assert_array_equal(tensors_of(net)[name], tensor, err_msg=name)


def test_a_state_of_something_else_is_refused(tmp_path, ring16, episodes, often):
    checkpoint = unfinished(tmp_path / "model", ring16, CONFIG, DATA)
    with pytest.raises(StoppedError):
        train(episodes, ring16, CONFIG, stop_at(50), checkpoint)
    for config, data, what in (
        (replace(CONFIG, seed=4), DATA, "seed = 3, expected 4"),
        (CONFIG, {"users": 41}, "users = 40, expected 41"),
    ):
        with pytest.raises(ModelError, match=what):
            unfinished(tmp_path / "model", ring16, config, data).load()
    slower = unfinished(tmp_path / "model", ring16, replace(CONFIG, learning_rate=1e-4), DATA)
    assert slower.load() is not None


def test_a_state_of_another_version_is_refused(tmp_path, ring16, episodes, often, monkeypatch):
    with pytest.raises(StoppedError):
        train(episodes, ring16, CONFIG, stop_at(50), unfinished(tmp_path / "model", ring16, CONFIG, DATA))
    monkeypatch.setattr("psog.net.checkpoint.__version__", "9.9")
    with pytest.raises(ModelError, match=r"psog = '0.*expected '9.9'.*begin anew"):
        unfinished(tmp_path / "model", ring16, CONFIG, DATA).load()


def test_a_damaged_state_is_one_line_and_stays_where_it_is(tmp_path, ring16, episodes, often):
    checkpoint = unfinished(tmp_path / "model", ring16, CONFIG, DATA)
    with pytest.raises(StoppedError):
        train(episodes, ring16, CONFIG, stop_at(50), checkpoint)
    whole = checkpoint.path.read_bytes()
    for content in (
        b"",
        whole[:100],
        whole[:-1],
        b"\xff" * 64,
        whole.replace(b"psog-training", b"psog-traininG"),
    ):
        checkpoint.path.write_bytes(content)
        with pytest.raises(ModelError, match="is not the state of an unfinished training"):
            checkpoint.load()
        assert checkpoint.path.read_bytes() == content


@pytest.mark.parametrize("damage", ["shape", "missing", "random"])
def test_a_state_that_does_not_fit_the_network_is_one_line(tmp_path, ring16, episodes, often, damage):
    checkpoint = unfinished(tmp_path / "model", ring16, CONFIG, DATA)
    with pytest.raises(StoppedError):
        train(episodes, ring16, CONFIG, stop_at(50), checkpoint)
    state = checkpoint.load()
    tensors = dict(state.tensors)
    if damage == "shape":
        tensors["soap.0.mean"] = torch.zeros(3, 3)
    elif damage == "missing":
        del tensors["net.head"]
    else:
        tensors["random"] = torch.zeros(7, dtype=torch.uint8)
    checkpoint.save(state._replace(tensors=tensors))
    with pytest.raises(ModelError, match=r"does not hold the state of this training.*begin anew"):
        train(episodes, ring16, CONFIG, None, checkpoint)


def test_a_run_that_diverges_keeps_its_last_good_state(tmp_path, ring16, episodes, often, monkeypatch):
    """Readings that turn to nothing half way stand for a rate that is too high."""
    checkpoint = unfinished(tmp_path / "model", ring16, CONFIG, DATA)
    real = torch.randn

    def spoiled(*args, **kwargs):
        state = checkpoint.path.exists() and checkpoint.load()
        return real(*args, **kwargs) * (np.nan if state and state.numbers["step"] >= 60 else 1)

    monkeypatch.setattr("psog.net.objectives.torch.randn", spoiled)
    with pytest.raises(ModelError, match=r"diverged at step 6\d; lower the learning rate.*last good state"):
        train(episodes, ring16, CONFIG, None, checkpoint)
    monkeypatch.undo()
    slower = replace(CONFIG, learning_rate=1e-3)
    _, report = train(episodes, ring16, slower, None, unfinished(tmp_path / "model", ring16, slower, DATA))
    assert report["training"]["steps_done"] == CONFIG.steps
    assert np.isfinite(report["history"][-1][1])


def test_a_killed_command_goes_on_and_gives_the_same_model(tmp_path, monkeypatch):
    """psog train, killed with SIGKILL while it trains, then given again."""
    words = [sys.executable, "-c", _SAVING_OFTEN, "ring16", "--users", "20", "--steps", "150", "--seed", "1"]

    def run(out):
        return [*words, "--out", str(tmp_path / out)]

    state = tmp_path / "killed.unfinished.safetensors"
    with subprocess.Popen(run("killed"), stderr=subprocess.DEVNULL) as killed:
        deadline = time.monotonic() + 120
        while not state.exists() and time.monotonic() < deadline and killed.poll() is None:
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
    assert state.exists() and not (tmp_path / "killed").exists()
    again = subprocess.run(run("killed"), capture_output=True, text=True, check=True)
    assert "going on from killed.unfinished.safetensors" in again.stderr
    assert not state.exists()
    subprocess.run(run("whole"), capture_output=True, check=True)
    one, other = (load_model(tmp_path / name) for name in ("killed", "whole"))
    for name, tensor in tensors_of(other.net).items():
        np.testing.assert_array_equal(tensors_of(one.net)[name], tensor, err_msg=name)


_SAVING_OFTEN = """
import sys
import psog.net.checkpoint
psog.net.checkpoint.SAVE_EVERY_S = 0.2
from psog.cli.main import main
main(["train", *sys.argv[1:]])
"""
