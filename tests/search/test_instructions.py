"""Instructions of a network that was not run."""

import math

import numpy as np
import pytest

from psog.errors import ToolchainError
from psog.firmware_export.toolchain import available_boards
from psog.search.instructions import count, fitted_costs, instruction_model, random_net
from psog.search.loops import loops_of
from psog.search.space import Candidate, RandomChooser, choose, sized
from psog.sim.streams import stream

needs_board = pytest.mark.skipif(
    "mps2-an386" not in available_boards(), reason="no Arm compiler or no QEMU is installed"
)


@pytest.mark.parametrize("core", ["paired", "plain", "vectors"])
def test_costs_are_found_that_explain_the_counts(ring16, core):
    candidates = [
        sized(choose(RandomChooser(stream(2, "test", k))), ring16, 8 + 4 * (k % 20)) for k in range(60)
    ]
    loops = [loops_of(candidate, ring16, core) for candidate in candidates]
    names = sorted({name for each in loops for name in each})
    true = dict(zip(names, stream(3, "test").uniform(1, 30, len(names)), strict=True))
    counts = [round(sum(true[name] * turns for name, turns in each.items())) for each in loops]
    costs = fitted_costs(loops[:40], counts[:40])
    estimates = [sum(costs.get(name, 0) * turns for name, turns in each.items()) for each in loops[40:]]
    assert np.allclose(estimates, counts[40:], rtol=0.02)


@needs_board
@pytest.mark.parametrize(
    ("network", "keep"),
    [("conv12-conv12same-dense40-features20-planes2", 0.25)],
)
def test_an_estimate_is_what_qemu_counts(ring16, model, network, keep):
    candidate = Candidate.read(network, keep)
    counted = count(random_net(candidate, ring16, seed=5), ring16, "mps2-an386")
    # the costs beside this test are of the runtime of their day: a faster one may be further off
    assert model(candidate) == pytest.approx(counted, rel=0.03)


def test_fewer_kernels_are_fewer_instructions(model):
    network = "conv12-conv12same-dense40-features20-planes2"
    costs = [model(Candidate.read(network, keep)) for keep in (0.15, 0.25, 0.5, 1.0)]
    assert costs == sorted(costs) and costs[0] < 0.8 * costs[-1]


def test_a_network_that_a_board_has_no_room_for_is_not_to_be_had(model):
    assert model(Candidate.read("dense500-dense300-features32-planes2", 1.0)) == math.inf


def test_a_board_without_an_emulator_has_no_instructions(ring16):
    with pytest.raises(ToolchainError, match="host"):
        instruction_model("host", ring16, (1, 1))
