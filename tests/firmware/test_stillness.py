"""The firmware's rule of an eye at rest: the reference's to the bit, and true to how simulated eyes move."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from psog.device.messages import GazeFlag
from psog.device.stillness import Stillness
from psog.firmware_export.host_tuning import HostHeadset
from psog.firmware_export.image_file import load_image
from psog.firmware_export.toolchain import build_library
from psog.headset import load_headset
from psog.net.shipped import model_place
from psog.sim.simulate import SimulationConfig, simulate

STEPS_US = [0, 1000, 4000, 9999, 10_000, 10_001, 33_000, 49_999, 50_000, 50_001, 200_000, -5000]
SHARES = [0.02, 0.55, 0.2, 0.05, 0.05, 0.05, 0.04, 0.01, 0.01, 0.005, 0.005, 0.01]
NO_NUMBERS = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38], np.float32)


@pytest.fixture
def rests():
    """stillness_rests of the firmware, one eye."""
    function = ctypes.CDLL(str(build_library())).stillness_rests
    function.restype = ctypes.c_bool
    function.argtypes = (ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_bool)
    state = ctypes.create_string_buffer(128)  # more than it takes, all zero
    return lambda t_us, gaze_deg, is_open: function(state, t_us, gaze_deg.ctypes.data, is_open)


@pytest.mark.parametrize("jump_deg", [0.3, 3.0, 200.0])
def test_it_is_the_references_at_any_time_and_gaze(rests, jump_deg):
    random, reference = np.random.default_rng(int(jump_deg)), Stillness()
    t_us, centre_deg, found = (1 << 64) - 3_000_000, np.zeros(2), []
    for step_us in random.choice(STEPS_US, 8000, p=SHARES).tolist():
        t_us = (t_us + step_us) % (1 << 64)
        if random.random() < 0.004:
            centre_deg = random.normal(0, jump_deg, 2)
        gaze_deg = (centre_deg + random.normal(0, 0.3, 2)).astype(np.float32)
        if random.random() < 0.002:
            gaze_deg[0] = random.choice(NO_NUMBERS)
        is_open = bool(random.random() > 0.003)
        found.append(rests(t_us, gaze_deg, is_open))
        h_deg, v_deg = gaze_deg.tolist()
        assert found[-1] == reference.rests(t_us, (h_deg, v_deg), valid=is_open)
    assert 0.1 < np.mean(found) < 0.9


def test_it_tells_fixations_from_saccades_and_blinks_of_simulated_eyes():
    """As the shipped model sees wearers it does not know; docs/calibration.md has more of them."""
    headset = load_headset("ring16")
    made = simulate(SimulationConfig(headset, users=4, seconds=10.0, seed=1000))
    device = HostHeadset(load_image(model_place(Path("ring16"))), 1000)
    _, flags = device.gaze(headset.to_wire(made.readings), None)
    still = (flags & GazeFlag.STILL) != 0
    assert (flags[still] & GazeFlag.VALID).all()
    event = made.columns["event"]
    fixation, saccade, blink = (event == kind for kind in (1, 2, 5))
    gaze_deg = np.stack([made.columns["gaze_h_deg"], made.columns["gaze_v_deg"]], axis=1)
    moved_deg = np.zeros(len(still))
    moved_deg[100:] = np.linalg.norm(gaze_deg[100:] - gaze_deg[:-100], axis=1)
    calm = np.convolve(fixation, np.ones(101))[: len(still)] == 101  # for 100 ms already
    assert still[calm].mean() > 0.97
    assert still[saccade & (moved_deg > 5)].mean() < 0.02
    assert still[blink].mean() < 0.1
