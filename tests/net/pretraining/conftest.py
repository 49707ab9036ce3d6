"""A toy eye whose moments are seen again and again."""

import numpy as np
import pytest

from psog.positives import Positives
from tests.net.conftest import toy_counts


def toy_positives(wearers: int, moments: int = 24, views: int = 4, seed: int = 0) -> Positives:
    """Readings that follow gaze; views differ by noise, a common gain and a small shift."""
    rng = np.random.default_rng(seed)
    gaze_deg = rng.uniform(-15, 15, (wearers, moments, 1, 2))
    offset_deg = rng.normal(0, 4, (wearers, 1, 1, 2))
    shift_deg = rng.normal(0, 0.3, (wearers, 1, views, 2))
    counts = toy_counts(16, gaze_deg + offset_deg + shift_deg)
    counts = counts * rng.normal(1, 0.01, (wearers, 1, views, 1)) + rng.normal(0, 1.5, counts.shape)
    readings = counts.reshape(wearers * moments, views, 16).astype(np.float32)
    return Positives("ring16", readings, np.repeat(np.arange(wearers), moments))


@pytest.fixture(scope="session")
def positives() -> Positives:
    return toy_positives(wearers=30)
