"""The torch backend gives the kernels' numbers, and derivatives that finite differences confirm."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from psog.errors import ShapeError
from psog.headset import load_headset
from psog.parts import Lobe
from psog.sim import render as kernels
from psog.sim import state
from psog.sim.effects import FIRST_ORDER, Effects
from psog.sim.measure import random_scenes
from psog.sim.population import draw_users
from psog.sim.torch.optics import response, sensors_at
from psog.sim.torch.render import TorchOptics, render, render_one
from psog.sim.torch.state import eye_states
from psog.sim.torch.surfaces import attributes, user_columns
from tests.sim.views import with_lobes

RING, GRID = load_headset("ring16"), load_headset("grid15")


def tensors(*arrays, dtype=torch.float64):
    return [torch.as_tensor(array, dtype=dtype) for array in arrays]


pytestmark = pytest.mark.usefixtures("one_thread")


PARTS = load_headset(Path(__file__).parents[2] / "docs/examples/ring16_parts.toml")
TOGETHER = PARTS.model_copy(update={"drive": PARTS.drive.model_copy(update={"multiplexing": "none"})})
ANGLES = tuple(range(0, 91, 5))
TABLE = PARTS.parts.detector.model_copy(
    update={
        "half_angle_deg": None,
        "exponent": None,
        "angles_deg": ANGLES,
        "relative": tuple(np.cos(np.deg2rad(ANGLES)) ** 3),
    }
)
TABLED = PARTS.model_copy(update={"parts": PARTS.parts.model_copy(update={"detector": TABLE})})
"""Crosstalk of neighbours; all emitters at once; a lobe that is a table."""
ROOMY = GRID.model_copy(update={"parts": PARTS.parts, "drive": PARTS.drive})
"""Crosstalk of neighbours where there is room for spectacles."""
HEADSETS = {
    "ring16": RING,
    "grid15": GRID,
    "odd lobes": with_lobes(RING, 2.5, 0.7),
    "crosstalk": PARTS,
    "together": TOGETHER,
    "table": TABLED,
    "crosstalk through spectacles": ROOMY,
}


@pytest.mark.parametrize("name", HEADSETS)
def test_same_numbers_as_the_kernels(name):
    headset = HEADSETS[name]
    users, pose, states = random_scenes(headset, 30, 16, seed=4)
    expected = kernels.render(kernels.Optics(headset, effects=FIRST_ORDER), users, pose, states)
    found = render(TorchOptics(headset, effects=FIRST_ORDER), user_columns(users), *tensors(pose, states))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


NAMES = [item.name for item in fields(Effects)]
WITH = {name: replace(FIRST_ORDER, **{name: True}) for name in NAMES} | {"all": Effects()}
CLOSE_FACES = replace(draw_users(30, 6), lens_dioptre=np.linspace(-6, 4, 30))
"""Everyone in spectacles but one."""


@pytest.mark.parametrize("name", WITH)
def test_same_numbers_as_the_kernels_with_every_effect(name):
    """Spectacles need grid15, where there is room; its cos^58 costs the kernels' single precision a digit."""
    headset, limit = (GRID, 3e-5) if name in ("spectacles", "all") else (RING, 1e-5)
    _, pose, states = random_scenes(headset, 30, 16, seed=4)
    given = (user_columns(CLOSE_FACES), *tensors(pose, states))
    first = render(TorchOptics(headset, effects=FIRST_ORDER), *given).numpy()
    expected = kernels.render(kernels.Optics(headset, effects=WITH[name]), CLOSE_FACES, pose, states)
    error = (render(TorchOptics(headset, effects=WITH[name]), *given).numpy() - expected) / expected
    assert np.abs(error).max() < limit
    assert np.sqrt((error**2).mean()) < 5e-6
    assert np.abs(first / expected - 1).max() > 1e-3


@pytest.mark.parametrize("name", [name for name in HEADSETS if name != "grid15"])
def test_unless_told_otherwise_both_have_every_effect(name):
    """With lids that are open, all but shut and shut."""
    headset = HEADSETS[name]
    _, pose, states = random_scenes(headset, 30, 16, seed=4)
    states[:, 0, 4], states[:, 1, 4] = -states[:, 0, 5], 0.4 - states[:, 1, 5]
    optics = TorchOptics(headset)
    assert optics.effects == kernels.Optics(headset).effects
    expected = kernels.render(kernels.Optics(headset), CLOSE_FACES, pose, states)
    found = render(optics, user_columns(CLOSE_FACES), *tensors(pose, states))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_every_effect_has_derivatives():
    """By all attributes at once, with every effect: along a random direction, against differences."""
    _, pose, states = random_scenes(GRID, 1, 3, seed=8)
    optics = TorchOptics(GRID)
    user = {name: column[0] for name, column in user_columns(CLOSE_FACES).items()}
    random = torch.Generator().manual_seed(2)
    way = {name: torch.randn((), generator=random, dtype=torch.float64) for name in attributes(Effects())}

    def along(amount):
        moved = {**user, **{name: user[name] + 0.01 * amount * way[name] for name in way}}
        return render_one(optics, moved, *tensors(pose[0], states[0]))

    zero = torch.zeros((), dtype=torch.float64)
    exact = torch.func.jacfwd(along)(zero)
    differences = (along(zero + 1e-5) - along(zero - 1e-5)) / 2e-5
    torch.testing.assert_close(exact, differences, rtol=1e-5, atol=1e-6 * float(exact.abs().max()))


def test_single_precision_is_a_choice():
    users, pose, states = random_scenes(RING, 4, 8, seed=4)
    optics = TorchOptics(RING, dtype=torch.float32)
    found = render(optics, user_columns(users, torch.float32), *tensors(pose, states, dtype=torch.float32))
    assert found.dtype == torch.float32
    expected = render(TorchOptics(RING), user_columns(users), *tensors(pose, states))
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4)


def test_same_states_as_the_simulator_also_where_lids_end_or_close():
    users = draw_users(6, 2)
    random = np.random.default_rng(1)
    given = {
        "roll_deg": random.uniform(-10, 10, 6),
        "gaze_deg": random.uniform(-40, 40, (6, 50, 2)),
        "openness": random.random((6, 50)),
        "pupil_mm": random.uniform(2, 8, (6, 50)),
        "lid_offset_mm": random.normal(0, 3, (6, 50, 2)),
    }
    expected = state.eye_states(users, **given)
    columns = user_columns(users)
    for k in range(6):
        user = {name: column[k] for name, column in columns.items()}
        found = eye_states(user, **{name: torch.as_tensor(values[k]) for name, values in given.items()})
        np.testing.assert_allclose(found.numpy(), expected[k], rtol=1e-5, atol=1e-5)


def test_a_lobe_can_be_a_table():
    """A table of cos^8 every two degrees is nearly cos^8, and its slope too."""
    angles = np.arange(0.0, 91.0, 2.0)
    table = Lobe(None, tuple(angles), tuple(np.cos(np.deg2rad(angles)).clip(0) ** 8))
    square = torch.linspace(0.2, 0.98, 40, dtype=torch.float64)
    torch.testing.assert_close(response(square, table), response(square, Lobe(8.0)), rtol=0.02, atol=1e-4)
    slope = torch.func.grad(lambda x: response(x, table).sum())(square)
    torch.testing.assert_close(slope, 4 * square**3, rtol=0.25, atol=0.01)


def test_shapes_that_do_not_match_are_named():
    users, pose, states = random_scenes(RING, 3, 2, seed=0)
    with pytest.raises(ShapeError, match=r"rendering 3 users.*\(2, 4\)"):
        render(TorchOptics(RING), user_columns(users), *tensors(pose[:2], states))


def geometry(headset):
    names = ("detector_mm", "detector_aim_mm", "emitter_mm", "emitter_aim_mm")
    points = [torch.tensor([getattr(s, n) for s in headset.sensors], dtype=torch.float64).T for n in names]
    return torch.stack(points)


def seen(headset, sensors, pose, row, user):
    """What one user's eye gives for sensors, pose, a state row and a vector of user attributes.

    ring16 to first order, other headsets with every effect.
    """
    optics = TorchOptics(headset, effects=FIRST_ORDER if headset is RING else Effects())
    optics.sensors = sensors_at(*sensors, headset)
    columns = dict(zip(sorted(COLUMNS), user, strict=True))
    return render_one(optics, columns, pose, row[None])[0]


COLUMNS = {
    name: column[0]
    for name, column in user_columns(replace(draw_users(1, 5), lens_dioptre=np.array([-3.0]))).items()
}


@pytest.mark.parametrize("headset", [RING, ROOMY], ids=["first order", "every effect"])
@pytest.mark.parametrize("which", [0, 1, 2, 3], ids=["sensors", "pose", "state", "user"])
def test_derivatives_are_those_of_finite_differences(which, headset):
    _, pose, states = random_scenes(headset, 1, 1, seed=9)
    user = torch.stack([COLUMNS[name] for name in sorted(COLUMNS)])
    inputs = [geometry(headset), *tensors(pose[0], states[0, 0]), user]

    def one(value):
        return seen(headset, *[value if k == which else item for k, item in enumerate(inputs)])

    some = slice(None, None, 7 if which == 0 else 1)
    exact = torch.func.jacfwd(one)(inputs[which]).flatten(1)[:, some]
    steps = torch.eye(inputs[which].numel(), dtype=torch.float64)[some] * 1e-6
    differences = [
        (one(inputs[which] + step.view_as(inputs[which])) - one(inputs[which] - step.view_as(inputs[which])))
        / 2e-6
        for step in steps
    ]
    scale = exact.abs().max(dim=0).values
    error = (exact - torch.stack(differences, 1)).abs().max(dim=0).values
    assert (error <= 1e-5 * scale + 1e-12).all()
    assert (scale > 0).sum() >= {0: 20, 1: 4, 2: 6, 3: 8}[which]


def test_backward_mode_agrees_with_forward_mode():
    places = geometry(ROOMY).requires_grad_()
    _, pose, states = random_scenes(ROOMY, 1, 1, seed=9)
    user = torch.stack([COLUMNS[name] for name in sorted(COLUMNS)])

    def total(sensors):
        return seen(ROOMY, sensors, *tensors(pose[0], states[0, 0]), user).sum()

    total(places).backward()
    forward = torch.func.jacfwd(total)(places.detach())
    torch.testing.assert_close(places.grad, forward, rtol=1e-9, atol=1e-15)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU in this machine")
def test_same_numbers_on_a_gpu():
    users, pose, states = random_scenes(RING, 30, 16, seed=4)
    on_cpu = render(TorchOptics(RING), user_columns(users), *tensors(pose, states))
    columns = user_columns(users, device="cuda")
    moved = [tensor.cuda() for tensor in tensors(pose, states)]
    on_gpu = render(TorchOptics(RING, device="cuda"), columns, *moved)
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, rtol=1e-9, atol=0)
