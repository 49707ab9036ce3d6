"""How far a headset has moved, told from surfaces of readings on toy eyes whose truth is known."""

import numpy as np
import pytest

from psog.errors import ModelError
from psog.net.calibrated import calibrated, int8_features
from psog.net.shift import MOVED_MM, Shift
from psog.net.shift_file import NAME, load_shift_map, save_shift_map
from psog.net.shift_learning import learn_shift
from psog.net.store import save_model
from psog.net.surface import inputs_of, moments

POSES, SAMPLES = 6, 60


def moving(headset, users, seed):
    """The toy eye of conftest, brighter above as its headset moves: readings, gaze, and millimetres."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, headset.sensor_count, endpoint=False)
    ways = np.stack([np.cos(angle), np.sin(angle), np.ones_like(angle)])
    gaze_deg = rng.uniform(-15, 15, (users, POSES, SAMPLES, 2))
    shift_mm = rng.normal(0, 1, (users, POSES, 3))
    shift_mm[:, :2] = 0
    projected = gaze_deg @ ways[:2] / 20 + rng.normal(0, 0.2, (users, 1, 1, 1))
    counts = (2000 + 700 * projected) * (1 + 0.05 * (shift_mm @ ways)[:, :, None])
    counts += rng.normal(size=counts.shape)
    wire = headset.to_wire(np.clip(np.rint(counts), 0, headset.adc.full_scale - 1))
    return wire, gaze_deg, shift_mm[:, 1:]


@pytest.fixture(scope="module")
def learnt(trained, ring16):
    return learn_shift(trained[0], int8_features, *moving(ring16, 60, 1), seed=0)


def told(net, learnt, wire, gaze_deg, pose):
    """Of one user, whose gaze is what the head of their calibration makes of the readings."""
    surface = learnt.calibrated(moments(inputs_of(net, wire[0]), gaze_deg[0]))
    own = calibrated(net, int8_features, wire[0], gaze_deg[0])
    return learnt.shift(surface, moments(inputs_of(net, wire[pose]), own(wire[pose])))


def test_users_never_seen_are_told_how_far_and_where_to(trained, ring16, learnt):
    wire, gaze_deg, shift_mm = moving(ring16, 25, 2)
    for pose in range(1, POSES):
        found = [told(trained[0], learnt, *one, pose) for one in zip(wire, gaze_deg, strict=True)]
        off_mm = np.linalg.norm([one.mm for one in found] - shift_mm[:, pose - 1], axis=1)
        assert np.median(off_mm) < 0.5
        held = [
            abs(one.size_mm - np.linalg.norm(true)) <= one.within_mm
            for one, true in zip(found, shift_mm[:, pose - 1], strict=True)
        ]
        assert np.mean(held) > 0.8


def test_an_estimate_is_as_sure_as_its_direction_is():
    sure, unsure = np.array([0.1, 0.1, 0.1]), np.array([0.1, 1.0, 0.1])
    right, up = np.array([MOVED_MM, 0, 0]), np.array([0, MOVED_MM, 0])
    assert Shift(right, sure).has_moved and not Shift(0.9 * right, sure).has_moved
    assert Shift(up, unsure).within_mm > Shift(right, unsure).within_mm > Shift(right, sure).within_mm


def test_what_was_learnt_is_kept_beside_the_model_it_belongs_to(trained, learnt, tmp_path):
    net, report = trained
    folder = tmp_path / "model"
    save_model(folder, net, report)
    assert load_shift_map(folder, net) is None
    save_shift_map(folder, learnt)
    again = load_shift_map(folder, net)
    np.testing.assert_allclose(again.weight, learnt.weight, rtol=1e-5)
    with pytest.raises(ModelError, match="already exists"):
        save_shift_map(folder, learnt)
    path = folder / NAME
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cannot read"):
        load_shift_map(folder, net)


def test_shifts_that_are_not_of_these_poses_are_refused(trained, ring16):
    wire, gaze_deg, shift_mm = moving(ring16, 2, 3)
    for some_wire, some_mm in ((wire, shift_mm[:, 1:]), (wire[:1], shift_mm[:1])):
        with pytest.raises(ModelError, match="cannot learn shifts"):
            learn_shift(trained[0], int8_features, some_wire, gaze_deg, some_mm, seed=0)
