"""Headsets that creep, jolt and ride on facial expressions."""

import numpy as np
import pytest

from psog.errors import ShapeError, SimulationError
from psog.headset import load_headset
from psog.sim.config import SimulationConfig
from psog.sim.live import LiveEye
from psog.sim.population import draw_users
from psog.sim.simulate import simulate
from psog.sim.slippage import EXPRESSION_S, MOTIONS, Motion, Slippage
from psog.sim.wear import Wear

RING = load_headset("ring16")


def hours(motion, rate_hz=1.0, users=20):
    """(users, n, 4) fits over an hour."""
    n = round(3600 * rate_hz)
    return np.stack([Slippage(motion, 1, k, rate_hz).advance(n).fits for k in range(users)])


@pytest.mark.parametrize("name", ["still", "office", "active"])
def test_mean_displacement_lies_within_what_glasses_do(name):
    """Task means of Niehorster et al. 2020 and later: 0.26 to 4.05 mm and 0.10 to 1.81 degrees."""
    fits = hours(MOTIONS[name])
    assert 0.26 <= np.linalg.norm(fits[..., :3], axis=-1).mean() <= 4.05
    assert 0.10 <= np.abs(fits[..., 3]).mean() <= 1.81


def test_the_more_one_does_the_more_the_headset_moves():
    means = [np.linalg.norm(hours(motion)[..., :3], axis=-1).mean() for motion in MOTIONS.values()]
    assert means[0] == 0
    assert (np.diff(means) > 0.2).all()


def test_a_headset_creeps_down_and_comes_to_rest():
    fits = hours(Motion(creep_mm=1.0), rate_hz=1.0, users=200)
    down = fits[..., 1]
    assert (np.diff(down, axis=1) <= 0).all()
    assert down[:, -1].mean() == pytest.approx(-0.95, abs=0.1)
    first, last = down[:, 600] - down[:, 0], down[:, -1] - down[:, -601]
    assert np.abs(last).mean() < 0.2 * np.abs(first).mean()


def test_a_jolt_swings_past_its_new_place_and_stays_there():
    fits = Slippage(Motion(jolts_per_h=60, jolt_mm=1.0), 3, 0, 1000.0).advance(600_000).fits
    moving = (np.abs(np.diff(fits, axis=0)) > 0).any(axis=1)
    starts = np.flatnonzero(np.diff(moving.astype(int), prepend=0) == 1)
    assert 4 <= len(starts) <= 18
    first = fits[starts[0] : starts[0] + 1000, 1]
    assert np.abs(first).max() > 1.1 * np.abs(first[-1])
    assert np.ptp(first[850:]) == 0


def test_jolts_do_not_carry_the_headset_away():
    fits = hours(Motion(jolts_per_h=600, jolt_mm=0.5), rate_hz=1.0, users=30)
    early, late = (
        np.linalg.norm(fits[:, part, :3], axis=-1).mean() for part in (slice(120, 900), slice(-900, None))
    )
    assert late == pytest.approx(early, rel=0.25)


def test_an_expression_moves_headset_and_lids_and_passes():
    slip = Slippage(Motion(expressions_per_min=3, expression_mm=0.5), 2, 1, 100.0).advance(60_000)
    moved, lids = np.abs(slip.fits[:, 1]) > 0, np.abs(slip.lid_offset_mm).max(axis=1) > 0
    np.testing.assert_array_equal(moved, lids)
    edges = np.flatnonzero(np.diff(moved.astype(int)))
    lengths = np.diff(edges)[::2] / 100
    assert 15 <= len(lengths) <= 45
    assert (lengths >= EXPRESSION_S[0] - 0.03).all()
    assert np.median(lengths) <= EXPRESSION_S[1]
    assert not slip.fits[~moved].any()
    assert 0.3 < np.abs(slip.lid_offset_mm).max() <= 2


def test_a_headset_slips_the_same_however_it_is_asked():
    whole = Slippage(MOTIONS["active"], 0, 3, 100.0).advance(60_000)
    slippage = Slippage(MOTIONS["active"], 0, 3, 100.0)
    parts = [slippage.advance(n) for n in (1, 0, 7, 992, 30_000, 29_000)]
    for k in range(2):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in parts]), whole[k])


def test_users_and_donnings_slip_differently():
    made = [
        Slippage(MOTIONS["office"], 0, user, 10.0, donning=donning).advance(100).fits[-1]
        for user, donning in ((0, 0), (1, 0), (0, 1))
    ]
    assert len(np.unique(np.array(made), axis=0)) == 3


def live(motion, chunks):
    """Readings and fits of one user, whose gaze rests."""
    eye = LiveEye(RING, draw_users(1, 0), 0, 0, motion=motion)
    made = [(eye.read(np.zeros((n, 2)), np.ones(n)), eye.fits) for n in chunks]
    return tuple(np.concatenate(part) for part in zip(*made, strict=True)), eye


def test_a_live_eye_reads_the_slipping_headset_alike_in_any_chunks():
    rough = Motion(jolts_per_h=3600, jolt_mm=0.5)
    (whole, fits), _ = live(rough, [3000])
    (parts, same_fits), eye = live(rough, [1, 10, 989, 0, 2000])
    np.testing.assert_array_equal(fits, same_fits)
    np.testing.assert_allclose(parts, whole, atol=1)
    np.testing.assert_allclose(eye.fit, fits[-1], atol=1e-6)


def test_readings_follow_the_headset_to_within_a_fraction_of_the_noise():
    """Placed exactly where it has slipped to, the headset reads the same."""
    motion = Motion(creep_mm=400.0)
    (slipping, fits), _ = live(motion, [2000])
    assert np.abs(fits[-1]).max() > 0.2
    eye = LiveEye(RING, draw_users(1, 0), 0, 0, motion=Motion(creep_mm=1e-6))  # read as one that moves
    exact = []
    for k in range(2000):
        if k % 100 == 99:
            eye.place(fits[k].astype(float))
        exact.append(eye.read(np.zeros((1, 2)), np.ones(1))[0])
    at = np.arange(99, 2000, 100)
    error = slipping[at] - np.array(exact)[at]
    assert np.sqrt((error**2).mean()) < 1.64  # counts: the noise, which both have in common


def test_a_recording_tells_how_the_headset_moved():
    config = SimulationConfig(RING, users=1, seconds=20, seed=1, wear=Wear(motion="active"))
    made = simulate(config)
    shift = made.columns["shift_y_mm"]
    assert np.ptp(shift) > 0.05
    assert np.abs(np.diff(shift)).max() < 0.2
    assert config.provenance()["wear"]["motion"] == "active"


def test_gaze_and_openness_must_be_of_the_same_samples():
    eye = LiveEye(RING, draw_users(1, 0), 0, 0)
    with pytest.raises(ShapeError, match="cannot read"):
        eye.read(np.zeros((3, 2)), np.ones(2))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Wear(motion="dancing"), "unknown wear 'dancing'; expected one of fixed, still"),
        (lambda: Wear(slip_mm=1.0, motion="office"), "expected one of them"),
        (lambda: Motion(jolt_mm=-1), "jolt_mm is -1"),
        (lambda: Motion(creep_mm=float("inf")), "creep_mm is inf"),
        (lambda: Slippage(Motion(), 0, 0, 0.0), "0.0 samples a second"),
        (lambda: Slippage(Motion(), 0, 0, 10.0).advance(-1), "-1 samples"),
    ],
)
def test_impossible_wear_is_refused(wrong, words):
    with pytest.raises(SimulationError, match=words):
        wrong()
