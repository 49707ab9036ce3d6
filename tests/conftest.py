"""What several parts' tests share: a small trained model."""

import os
import signal
import sys
from pathlib import Path

import pytest

# A shell that starts the tests in the background has Ctrl-C ignored, and every child process would inherit
# that; tests that press Ctrl-C need it to arrive.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Files of tests run side by side, a process a core: more threads than that, in torch or in a command that a
# test starts, only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def subnormal_numbers_stay():
    """No library that a test loads may turn them off for the process, as code linked with -ffast-math does:
    all other code in it would suffer.
    """
    yield
    assert sys.float_info.min / 2 > 0, "subnormal numbers are zero since this test, or since its fixtures"


@pytest.fixture(scope="module")
def one_thread():
    """Torch with one thread for a module: its work there is in small pieces."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder for ring16, trained once per test run in some seconds.

    300 users and 600 steps are enough for unseen users to gain from a calibration (median 1.3° on 60 of them,
    seed 5) and for open eyes to be taken for open, and far from what `psog train` reaches.
    """
    import torch

    from psog.headset import load_headset
    from psog.net.loop import TrainingConfig
    from psog.net.store import save_model
    from psog.net.training import train
    from psog.sim.episodes import make_episodes

    headset = load_headset("ring16")
    episodes = make_episodes(headset, users=300, poses=3, seed=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one order of additions on every machine
    try:
        net, report = train(episodes, headset, TrainingConfig(steps=600, seed=1))
    finally:
        torch.set_num_threads(threads)
    folder = tmp_path_factory.mktemp("tiny") / "model"
    save_model(folder, net, report)
    return folder


@pytest.fixture(scope="session")
def told_toy():
    """A small network that is told whose toy eye it sees, and its report."""
    from dataclasses import replace

    from psog.headset import load_headset
    from psog.net.loop import TrainingConfig
    from psog.net.training import train
    from tests.net.conftest import SMALL, toy_episodes

    config = TrainingConfig(steps=400, seed=3, architecture=replace(SMALL, embedding=4))
    return train(toy_episodes("ring16", users=60, seed=2), load_headset("ring16"), config)
