"""Devices of one design differ as the tolerances say."""

import numpy as np
import pytest

from psog.headset import load_headset
from psog.sim.ambient import AMBIENTS
from psog.sim.device import Device
from psog.sim.episodes import make_episodes
from psog.sim.live import LiveEye
from psog.sim.population import draw_users
from tests.sim.driven import RING_PARTS, altered

RING = load_headset("ring16")
LOOSE = altered(RING, tolerance={"gain_sd": 0.05, "offset_sd_counts": 8.0, "aim_sd_deg": 2.0})


def directions(headset):
    way = [np.subtract(s.detector_aim_mm, s.detector_mm) for s in headset.sensors]
    return np.array([w / np.linalg.norm(w) for w in way])


def test_a_design_without_tolerances_is_built_exactly():
    device = Device(RING, 0, 0)
    assert device.headset is RING
    assert (device.gain == 1).all()
    assert (device.offset_counts == 0).all()
    assert (device.drift_counts(5) == 0).all()


def test_a_device_is_a_function_of_seed_and_index():
    first, again, other = Device(LOOSE, 1, 4), Device(LOOSE, 1, 4), Device(LOOSE, 1, 5)
    np.testing.assert_array_equal(first.gain, again.gain)
    assert first.headset == again.headset
    assert (first.gain != other.gain).all()


def test_devices_scatter_as_the_tolerances_say():
    devices = [Device(LOOSE, 0, k) for k in range(200)]
    assert np.std([d.gain for d in devices]) == pytest.approx(0.05, rel=0.05)
    assert np.std([d.offset_counts for d in devices]) == pytest.approx(8.0, rel=0.05)
    cosine = [(directions(d.headset) * directions(LOOSE)).sum(axis=1) for d in devices[:50]]
    off_deg = np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))
    assert np.sqrt(np.mean(off_deg**2)) == pytest.approx(2.0 * np.sqrt(2), rel=0.06)  # two axes
    assert devices[0].headset.sensors[0].detector_mm == LOOSE.sensors[0].detector_mm


def test_offsets_wander_with_the_root_of_time_whatever_is_asked_for_at_a_time():
    headset = altered(RING, tolerance={"drift_counts_rthour": 3.0}).model_copy(update={"rate_hz": 1.0})
    after_an_hour = [Device(headset, 0, k).drift_counts(3600)[-1] for k in range(60)]
    assert np.std(after_an_hour) == pytest.approx(3.0, rel=0.07)
    device = Device(headset, 0, 7)
    parts = np.concatenate([device.drift_counts(n) for n in (10, 0, 1, 29)])
    np.testing.assert_allclose(parts, Device(headset, 0, 7).drift_counts(40))


def test_every_user_of_episodes_has_a_device_of_their_own():
    exact = make_episodes(RING, users=3, poses=2, samples=4, seed=5)
    loose = make_episodes(LOOSE, users=3, poses=2, samples=4, seed=5)
    change = (loose.readings - exact.readings).reshape(3, 8, 16)
    for user in range(3):
        slope, offset = np.polynomial.Polynomial.fit(
            exact.readings[user, ..., 0].ravel(), change[user, :, 0], 1
        ).convert().coef[::-1]  # fmt: skip
        assert abs(slope) < 0.2
        np.testing.assert_allclose(
            change[user, :, 0], slope * exact.readings[user, ..., 0].ravel() + offset, atol=0.1
        )
    assert np.ptp(change[:, 0, 0]) > 1


def test_a_device_in_flickering_light_reads_the_same_however_it_is_asked():
    users, gaze, openness = draw_users(1, 2), np.zeros((40, 2)), np.ones(40)
    whole = LiveEye(RING_PARTS, users, 0, 2, ambient=AMBIENTS["indoor"]).read(gaze, openness)
    eye = LiveEye(RING_PARTS, users, 0, 2, ambient=AMBIENTS["indoor"])
    parts = [eye.read(gaze[k : k + n], openness[k : k + n]) for k, n in ((0, 7), (7, 1), (8, 32))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
