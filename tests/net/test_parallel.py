"""Training in several processes gives what one process gives, and ends when one of them does."""

import multiprocessing
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from psog.cli.team import run_in_team
from psog.errors import ModelError
from psog.headset import load_headset
from psog.net.accelerator import device_for
from psog.net.loop import TrainingConfig
from psog.net.processes import ALONE, Team, check_divides
from psog.net.shared import shared_episodes
from psog.net.store import load_model, save_model
from psog.net.tensors import pack
from psog.net.training import prepare, train, unfinished
from tests.net.conftest import SMALL, toy_episodes

CONFIG = TrainingConfig(steps=120, seed=3, architecture=SMALL)
TOLD = replace(CONFIG, architecture=replace(SMALL, embedding=4))
ENDS_AT = 50


class Training:
    """A short training, in each process of a team; it can be sent to other processes."""

    def __init__(self, model, killed=None):
        self.model, self.killed = model, killed

    def __call__(self, team):
        torch.set_num_threads(1)
        ring16 = load_headset("ring16")
        episodes = shared_episodes(team, lambda: toy_episodes("ring16", users=40, seed=1))
        checkpoint = unfinished(self.model, ring16, CONFIG, {})
        checkpoint.is_due = lambda: True

        def progress(at):
            if team.rank == self.killed and at.step == ENDS_AT:
                os.kill(os.getpid(), signal.SIGKILL)

        net, report = train(episodes, ring16, CONFIG, progress, checkpoint, team=team)
        if team.first:
            save_model(self.model, net, report)
            checkpoint.remove()


def run(model, processes=2, killed=None):
    run_in_team(Training(model, killed), processes, check=lambda _: None)


def tensors_of(model):
    return pack(load_model(model).net)[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The model of an undisturbed training in two processes."""
    model = tmp_path_factory.mktemp("parallel") / "model"
    run(model)
    return model


@pytest.mark.parametrize("fraction", [0.0, 0.3], ids=["warm-up", "through the solve"])
def test_the_mean_gradient_of_the_slices_is_that_of_the_whole_batch(ring16, fraction):
    episodes, found = toy_episodes("ring16", users=40, seed=1), []
    for team in (ALONE, Team(0, 2), Team(1, 2)):
        net, objective = prepare(episodes, ring16, TOLD, team=team)
        objective(net, fraction)[0].backward()
        found.append(torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]))
    whole, one, other = found
    assert (one - other).norm() > 0.1 * whole.norm()  # they do see different users
    assert ((one + other) / 2 - whole).norm() < 1e-5 * whole.norm()


def test_a_process_that_is_killed_ends_the_others_and_the_same_command_gives_the_same_bits(tmp_path, whole):
    with pytest.raises(ModelError, match=r"process 2 of 2 ended \(SIGKILL\).*goes on from the kept state"):
        run(tmp_path / "model", killed=1)
    assert not multiprocessing.active_children()
    run(tmp_path / "model")
    for name, tensor in tensors_of(whole).items():
        np.testing.assert_array_equal(tensors_of(tmp_path / "model")[name], tensor, err_msg=name)


@pytest.mark.parametrize("processes", [0, 3, 32])
def test_users_that_cannot_be_shared_out_are_refused(processes):
    with pytest.raises(ModelError, match=r"cannot share the 16 users.*take one of 1, 2, 4, 8, 16"):
        check_divides(processes, 16)


def test_a_number_that_contradicts_torchrun_is_refused(monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(ModelError, match="--processes 4 contradicts torchrun, which started 2"):
        run_in_team(print, 4, check=lambda _: None)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    with pytest.raises(ModelError, match="2 processes, 1 of them on this computer"):
        run_in_team(print, None, check=lambda _: None)


def test_alone_a_process_takes_the_whole_batch():
    assert ALONE.slice(16) == slice(0, 16)


@pytest.mark.skipif(
    torch.cuda.is_available(), reason="a refusal of what is not there; this machine has a GPU"
)
def test_a_gpu_that_is_not_there_is_one_line():
    with pytest.raises(ModelError, match=r"cannot train on a GPU.*--device cpu"):
        device_for("cuda", 16)
    assert device_for("auto", 4096) == "cpu"


def test_auto_takes_a_gpu_for_many_users_alone_and_processes_go_round(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [device_for("auto", users) for users in (16, 31, 32)] == ["cpu", "cpu", "cuda:0"]
    assert [device_for("cuda", 16, rank) for rank in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert device_for("cpu", 4096) == "cpu"
