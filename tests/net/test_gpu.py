"""Training on a GPU is the training on the CPU, elsewhere; skipped on a machine without one."""

from dataclasses import replace

import pytest
import torch

from psog.cli.team import run_in_team
from psog.headset import load_headset
from psog.net.accelerator import device_for
from psog.net.loop import TrainingConfig
from psog.net.run import REPORT_EVERY
from psog.net.shared import shared_episodes
from psog.net.store import load_model, save_model
from psog.net.training import prepare, train, unfinished
from tests.net.conftest import SMALL, toy_episodes

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU in this machine")

CONFIG = TrainingConfig(steps=300, seed=3, architecture=replace(SMALL, embedding=4))


class Training:
    """A short training on the GPU, in each process of a team; it can be sent to other processes."""

    def __init__(self, model):
        self.model = model

    def __call__(self, team):
        episodes = shared_episodes(team, lambda: toy_episodes("ring16", users=40, seed=1))
        net, report = train(
            episodes,
            load_headset("ring16"),
            CONFIG,
            team=team,
            device=device_for("cuda", CONFIG.users_per_batch, team.rank),
        )
        if team.first:
            save_model(self.model, net, report)


def last_error_deg(report):
    return report["history"][-1][1]


@pytest.mark.parametrize("fraction", [0.0, 0.3], ids=["warm-up", "through the solve"])
def test_loss_and_gradient_are_those_of_the_cpu(ring16, fraction):
    episodes, found = toy_episodes("ring16", users=40, seed=1), []
    for device in ("cpu", "cuda"):
        net, objective = prepare(episodes, ring16, CONFIG, device=device)
        loss, error_deg = objective(net, fraction)
        loss.backward()
        gradient = [p.grad.flatten().cpu() for p in net.parameters() if p.grad is not None]
        found.append((torch.cat(gradient), loss.item(), error_deg))
    (cpu, cpu_loss, cpu_deg), (gpu, gpu_loss, gpu_deg) = found
    assert (gpu - cpu).norm() < 1e-3 * cpu.norm()
    assert gpu_loss == pytest.approx(cpu_loss, rel=1e-4)
    assert gpu_deg == pytest.approx(cpu_deg, rel=1e-4)


def test_processes_share_a_gpu_and_find_what_one_process_on_the_cpu_does(tmp_path, ring16):
    run_in_team(Training(tmp_path / "model"), 2, check=lambda _: None)
    report = load_model(tmp_path / "model").report
    assert report["training"]["device"] == "cuda"
    assert report["training"]["processes"] == 2
    _, on_cpu = train(toy_episodes("ring16", users=40, seed=1), ring16, CONFIG)
    assert last_error_deg(report) == pytest.approx(last_error_deg(on_cpu), rel=0.2)


def test_a_run_that_was_stopped_goes_on_there(tmp_path, ring16):
    episodes = toy_episodes("ring16", users=40, seed=1)
    _, whole = train(episodes, ring16, CONFIG, device="cuda")
    checkpoint = unfinished(tmp_path / "model", ring16, CONFIG, {})
    checkpoint.is_due = lambda: True

    def stop(at):
        if at.step == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(episodes, ring16, CONFIG, stop, checkpoint, device="cuda")
    assert int(checkpoint.load().numbers["step"]) == 200
    _, report = train(episodes, ring16, CONFIG, None, checkpoint, device="cuda")
    assert [step for step, _ in report["history"]] == list(range(0, CONFIG.steps, REPORT_EVERY))
    assert last_error_deg(report) == pytest.approx(last_error_deg(whole), rel=0.2)
