"""The fast simulator against stored path-traced readings, made by `psog bench reference`: no Mitsuba here."""

from pathlib import Path

import numpy as np
import pytest

from psog.headset import load_headset
from psog.sim.reference.compare import VARIES, agreement
from psog.sim.reference.readings import read_library

LIBRARY = read_library(Path(__file__).with_name("path_traced.npz"))


@pytest.mark.parametrize("name", sorted(LIBRARY.readings))
def test_fast_readings_are_the_path_traced_ones_up_to_one_gain(name):
    found = agreement(load_headset(name), LIBRARY.states, LIBRARY.readings[name])
    assert len(LIBRARY.states) >= 100
    assert found.error < 0.003
    assert found.residual <= 0.01
    varying = found.variation > VARIES
    assert varying.any()
    assert (found.correlation[varying] >= 0.995).all(), np.round(found.correlation, 4)
