"""Small networks trained on a toy eye, for tests that need real trained integers in a second."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.headset import load_headset
from psog.net.architecture import Architecture, Convolution, deep
from psog.net.loop import TrainingConfig
from psog.net.pruning import Pruning
from psog.net.store import Model
from psog.net.training import train

torch.set_num_threads(1)

SMALL = Architecture((Convolution(6),), (16,), features=8)


def toy_episodes(headset_name: str, users: int, seed: int, poses: int = 3, samples: int = 24) -> Episodes:
    """Readings that follow gaze, the user's own gains, and a shift of the headset, smoothly."""
    headset = load_headset(headset_name)
    rng = np.random.default_rng(seed)
    gaze_deg = rng.uniform(-15, 15, (users, poses, samples, 2))
    shift_deg = rng.normal(0, 0.5, (users, poses, 1, 2))
    offset_deg = rng.normal(0, 4, (users, 1, 1, 2))
    openness = np.where(rng.random((users, poses, samples)) < 0.05, 0.1, 1.0)
    counts = toy_counts(headset.sensor_count, gaze_deg + shift_deg + offset_deg)
    counts = np.where(openness[..., None] > 0.5, counts, 2900)
    return Episodes(
        headset=headset_name,
        readings=counts.astype(np.float32),
        gaze_deg=gaze_deg.astype(np.float32),
        openness=openness.astype(np.float32),
        noise_counts=np.full(headset.sensor_count, 1.0, np.float32),
        seed=seed,
    )


def toy_counts(sensors: int, seen_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, sensors) readings of an open eye that a ring of sensors sees at (…, 2)."""
    angle = np.linspace(0, 2 * np.pi, sensors, endpoint=False)
    projected = seen_deg @ np.stack([np.cos(angle), np.sin(angle)]) / 20
    return 2000 + 700 * projected + 150 * np.sin(3 * projected)


@pytest.fixture(scope="session")
def ring16():
    return load_headset("ring16")


@pytest.fixture(scope="session")
def trained(ring16):
    """A small network for ring16 and its report."""
    return train(toy_episodes("ring16", 60, 1), ring16, TrainingConfig(steps=300, architecture=SMALL, seed=3))


@pytest.fixture(scope="session")
def pruned(ring16):
    """A model of which three quarters of the second convolution's kernels were removed."""
    config = TrainingConfig(steps=12, architecture=deep(ring16), pruning=Pruning(keep=0.25))
    return Model(*train(toy_episodes("ring16", 25, 1), ring16, config))
