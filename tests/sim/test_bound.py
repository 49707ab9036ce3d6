"""The information limit: against brute force, finite differences of the kernels, and an estimator."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from psog.cli.main import main
from psog.errors import SimulationError
from psog.headset import load_headset
from psog.sim import render as kernels
from psog.sim.bound.fisher import after_calibration, gaze_covariance
from psog.sim.bound.jacobian import jacobian, readings
from psog.sim.bound.parameters import FIT, GAZE, MOMENT, priors
from psog.sim.bound.survey import (
    CASES,
    Question,
    gaze_bound,
    mean_length,
    readings_per_noise,
    survey,
    survey_points,
)
from psog.sim.effects import FIRST_ORDER, Effects
from psog.sim.population import draw_users
from psog.sim.quadrature import FINE, Quadrature
from psog.sim.state import eye_states
from psog.sim.torch.render import TorchOptics
from psog.sim.torch.surfaces import user_columns

RING = load_headset("ring16")
TINY = Quadrature(4, 9, 8, 2, 6, 3, 2, 2, 2)
"""For what holds however finely the scene is integrated."""
SMALL = Question(
    users=2, gazes=2, slips_mm=(0.0, 2.0), snrs=(300.0, 3000.0), quadrature=TINY, seed=1, effects=FIRST_ORDER
)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def small():
    return survey(RING, SMALL)


def spread(random, size):
    root = torch.as_tensor(random.standard_normal((size, size)))
    return root @ root.T + 0.1 * torch.eye(size, dtype=torch.float64)


def test_coloured_noise_is_the_schur_complement_of_the_joint_information():
    random = np.random.default_rng(0)
    gaze, nuisance = (torch.as_tensor(random.standard_normal((16, k))) for k in (2, 7))
    prior, covariance = spread(random, 2), spread(random, 7)
    both = torch.cat([gaze, nuisance], 1)
    joint = both.T @ both + torch.linalg.inv(torch.block_diag(prior, covariance))
    expected = torch.linalg.inv(joint)[:2, :2]
    torch.testing.assert_close(gaze_covariance(gaze, nuisance, covariance, prior), expected)


def test_calibration_is_the_joint_information_of_all_its_samples():
    """Written out: the lasting parameters, and three of its own for each of 4 points × 2 samples."""
    random = np.random.default_rng(1)
    lasting, own = (torch.as_tensor(random.standard_normal((4, 16, k))) for k in (5, 3))
    prior, own_prior = spread(random, 5), spread(random, 3)
    rows = []
    for sample in range(8):
        place = torch.zeros(16, 24, dtype=torch.float64)
        place[:, 3 * sample : 3 * sample + 3] = own[sample // 2]
        rows.append(torch.cat([lasting[sample // 2], place], 1))
    every = torch.cat(rows)
    joint = every.T @ every + torch.linalg.inv(torch.block_diag(prior, *[own_prior] * 8))
    expected = torch.linalg.inv(joint)[:5, :5]
    torch.testing.assert_close(after_calibration(lasting, own, prior, own_prior, 2), expected)


def test_derivatives_are_those_of_the_kernels():
    """The kernels at a fine quadrature, by differences over 0.2 degrees and tenths of millimetres."""
    users, gaze = draw_users(1, 3), np.array([[3.0, 2.0], [-12.0, -9.0], [10.0, 14.0]])
    user = {name: column[0] for name, column in user_columns(users).items()}
    fit = torch.tensor([0.8, -0.5, 0.3, 1.0], dtype=torch.float64)
    optics = TorchOptics(RING, Quadrature(16, 37, 72, 6, 32, 16, 4, 8, 4), FIRST_ORDER)
    found = jacobian(optics, user, fit, torch.as_tensor(gaze), ("kappa_h_deg", "eye_radius_mm"))
    fine = kernels.Optics(RING, FINE, kernels.FIRST_ORDER)

    def seen(deviation):
        moved = replace(
            users,
            kappa_h_deg=users.kappa_h_deg + deviation[9],
            eye_radius_mm=users.eye_radius_mm + deviation[10],
        )
        at = fit.numpy() + deviation[FIT]
        states = eye_states(
            moved,
            roll_deg=at[3:],
            gaze_deg=(gaze + deviation[GAZE])[None],
            openness=np.ones((1, 3)),
            pupil_mm=np.full((1, 3), users.pupil_mm + deviation[MOMENT.start]),
            lid_offset_mm=np.broadcast_to(deviation[MOMENT.start + 1 : MOMENT.stop], (1, 3, 2)),
        )
        pose = kernels.pose_rows(at[None, :3], at[3:])
        return kernels.render(fine, moved, pose, states)[0].astype(float)

    steps = np.diag([0.2, 0.2, 0.1, 0.04, 0.04, 0.2, 0.2, 0.2, 0.5, 0.5, 0.2])
    expected = np.stack([(seen(step) - seen(-step)) / (2 * step.max()) for step in steps], -1)
    error = np.sqrt(((found.numpy() - expected) ** 2).mean((0, 1)))
    share = error / np.sqrt((expected**2).mean((0, 1)))
    assert share[MOMENT].max() < 0.15  # a glint that fades at a lid is a kink, and the fine rows are 0.08 mm
    assert np.delete(share, MOMENT).max() < 0.06


def test_an_estimator_comes_close_to_the_bound_and_not_below():
    """Maximum a posteriori by Gauss-Newton for a known user, 48 draws of fit, pupil, lids and noise."""
    draws = 48
    optics = TorchOptics(RING, TINY, FIRST_ORDER)
    scale = readings_per_noise(RING, optics, 3000)[:, None]
    known = priors(RING.field_deg, donning_mm=1.0, seed=0, effects=FIRST_ORDER)
    user = {name: column[0] for name, column in user_columns(draw_users(1, 11)).items()}
    prior = torch.block_diag(known.gaze, known.hold + known.moment, known.donning)
    random = torch.Generator().manual_seed(5)
    truth = torch.randn(draws, 9, generator=random, dtype=torch.float64) * prior.diagonal().sqrt()
    truth[:, GAZE] = (torch.rand(draws, 2, generator=random, dtype=torch.float64) - 0.5) * 30
    noise = torch.randn(draws, 16, generator=random, dtype=torch.float64)
    zero = torch.zeros(9, dtype=torch.float64)

    def at(theta):
        fit, gaze = theta[FIT], theta[GAZE][None]
        moved = {**user, "pupil_mm": user["pupil_mm"] + theta[2]}
        lids = torch.cat([zero[:3], theta[3:5], zero[5:]])
        return readings(optics, moved, fit, gaze, lids)[0] * scale[:, 0]

    every = torch.vmap(at)
    slopes = torch.vmap(torch.func.jacfwd(at), chunk_size=16)
    measured, bounds = every(truth) + noise, slopes(truth)
    lasting = torch.block_diag(known.donning)
    expected = torch.stack([gaze_bound(J[None], lasting, 0 * lasting, replace_users(known)) for J in bounds])[
        :, 0
    ]
    estimate = truth.clone()
    information = torch.linalg.inv(prior)
    for _ in range(3):
        J = slopes(estimate)
        step = J.mT @ (measured - every(estimate))[..., None] - (information @ estimate[..., None])
        estimate = estimate + torch.linalg.solve(J.mT @ J + information, step)[..., 0]
    error = (estimate - truth)[:, GAZE]
    rms = float(error.square().sum(1).mean().sqrt())
    bound = float(expected.diagonal(dim1=-2, dim2=-1).sum(-1).mean().sqrt())
    assert 0.85 * bound < rms < 1.3 * bound  # 48 draws scatter by 9 %


def replace_users(known):
    """The same priors with no user attribute unknown."""
    return known._replace(user_names=(), user=torch.zeros(0, 0, dtype=torch.float64))


def test_mean_length_is_that_of_drawn_errors():
    covariance = np.array([[2.0, 0.9], [0.9, 0.5]])
    drawn = np.random.default_rng(0).multivariate_normal([0, 0], covariance, 200_000)
    assert mean_length(covariance) == pytest.approx(np.hypot(*drawn.T).mean(), rel=0.005)


def total(bounds, case, slip=0, snr=0):
    return bounds.rms_deg(case, slip, snr)[0]


def test_knowing_more_is_never_worse(small):
    for slip in range(2):
        for snr in range(2):
            known, new, calibrated = (small.variance[c, slip, snr] for c in range(3))
            assert (known <= new + 1e-12).all()
            assert (calibrated <= new + 1e-12).all()
    assert (small.variance[:, :, 1] <= small.variance[:, :, 0]).all()


def test_more_calibration_points_are_never_worse(small):
    _, new, calibrated = CASES
    none, again, more = survey_points(RING, SMALL, (0, SMALL.points, 14))
    assert again.question == SMALL
    np.testing.assert_allclose(again.variance, small.variance, rtol=1e-9)
    assert none.variance[2] == pytest.approx(none.variance[1])
    assert (small.variance[2] <= none.variance[2] + 1e-12).all()
    assert (more.variance[2] <= small.variance[2] + 1e-12).all()
    assert total(small, calibrated) < 0.5 * total(small, new)
    assert more.variance[:2] == pytest.approx(small.variance[:2])


def test_a_user_s_bound_does_not_depend_on_how_many_users_there_are(small):
    assert survey(RING, replace(SMALL, users=1)).variance == pytest.approx(small.variance[:, :, :, :1])


def test_the_headset_s_own_noise_is_that_of_its_parts():
    """An LED of half the current costs signal."""
    own = replace(SMALL, users=1, slips_mm=(0.0,), snrs=(None,))
    bright = load_headset(Path(__file__).parents[2] / "docs/examples/ring16_parts.toml")
    dim = bright.with_led_current(bright.drive.led_current_ma / 2)
    assert (survey(bright, own).variance < survey(dim, own).variance).all()


def test_without_light_only_the_field_is_known():
    found = survey(RING, replace(SMALL, users=1, snrs=(1e-6,), slips_mm=(0.0,)))
    assert found.rms_deg("known user", 0, 0) == pytest.approx(
        (np.hypot(20, 20) / 3**0.5, 20 / 3**0.5, 20 / 3**0.5)
    )


def test_effects_bring_their_attributes_in_and_make_it_no_easier():
    """At one working point; lashes and faces that differ are something more that is unknown."""
    question = replace(SMALL, users=1, slips_mm=(1.0,))
    every = replace(question, effects=Effects())
    first, all_ = survey(RING, question), survey(RING, every)
    assert total(all_, "new user") > 1.1 * total(first, "new user")
    names = priors(RING.field_deg, 2.0, 0, Effects()).user_names
    assert {"lash_density", "face_tilt_h", "lens_dioptre"} <= set(names)
    assert "side" not in names


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"users": 0}, "users is 0"),
        ({"points": 26}, "points is 26, expected 0 to 25"),
        ({"snrs": (-3.0,)}, "SNR is -3.0"),
        ({"slips_mm": (-1.0,)}, "slip -1.0"),
        ({"slips_mm": ()}, "slips is 0"),
        ({"snrs": ()}, "SNRs is 0"),
        ({"donning_mm": float("nan")}, "donning_mm"),
    ],
)
def test_impossible_questions_are_refused(change, says):
    with pytest.raises(SimulationError, match=says):
        replace(SMALL, **change)


def psog_bound(*words):
    short = "--first-order --users 1 --gazes 2 --shift-mm 1 --points 1"
    main(["bound", *words, *short.split()])


def test_the_command_prints_json_and_draws_maps(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "map.png"
    psog_bound("ring16", "grid15", "--snr", "1000", "--json", "--out", str(path))
    ring, grid = json.loads(capsys.readouterr().out)["headsets"]
    assert (ring["headset"], grid["headset"]) == ("ring16", "grid15")
    assert [row["case"] for row in ring["bounds"]] == list(CASES)
    assert all(0 < row["horizontal_deg"] < row["radial_deg"] < 15 for row in ring["bounds"])
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit, match="already exists"):
        psog_bound("ring16", "--out", str(path))


def test_the_command_prints_a_table(capsys):
    psog_bound("ring16", "--snr", "300", "1000")
    table = capsys.readouterr().out
    assert all(words in table for words in ("ring16", "known user", "new user", "after 1 points", "SNR 1000"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ring99"], "no headset named 'ring99'"),
        ([], "no headset given"),
        (["ring16", "--snr", "-5"], "SNR is -5"),
        (["ring16", "--out", "map.pdf"], "ends in .png"),
        (["ring16", "--out", "nowhere/map.png"], "no folder"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(words, says):
    with pytest.raises(SystemExit, match=says) as ended:
        psog_bound(*words)
    assert "\n" not in str(ended.value)
