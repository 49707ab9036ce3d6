"""Heads set right after a slip, by one target or by none, and how drift is noticed."""

from dataclasses import fields

import numpy as np
import pytest

from psog.errors import ModelError, ShapeError
from psog.metrics import angular_error
from psog.net.calibrated import int8_features
from psog.net.recovery import Agreement, Recovery, covers
from psog.net.recovery_file import NAME, load_recovery, save_recovery
from psog.net.recovery_learning import learn
from psog.net.store import save_model
from psog.net.surface import moments

SLIPS_MM = (0.0, 0.0, 1.0, 2.0)
POSES, SAMPLES, STILL = 1 + len(SLIPS_MM), 60, (1, 2)
CENTRE = np.zeros(2)


def slipping(headset, users, seed):
    """The toy eye of conftest, with a headset that sits still in the first poses and slips in the others."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, headset.sensor_count, endpoint=False)
    direction = np.stack([np.cos(angle), np.sin(angle)])
    gaze_deg = rng.uniform(-15, 15, (users, POSES, SAMPLES, 2))
    gaze_deg[:, :, :8] = CENTRE
    shift_deg = rng.normal(0, 2, (users, POSES, 1, 2)) * (np.array([0, *SLIPS_MM]) > 0)[:, None, None]
    offset_deg = rng.normal(0, 4, (users, 1, 1, 2))
    # A slip also makes all readings larger or smaller, which is how it shows whatever the eye looks at.
    brighter = 1 + 0.04 * shift_deg.sum(axis=-1, keepdims=True)
    projected = (gaze_deg + shift_deg + offset_deg) @ direction / 20
    counts = (2000 + 700 * projected + 150 * np.sin(3 * projected)) * brighter
    counts += rng.normal(size=counts.shape)
    return headset.to_wire(np.clip(np.rint(counts), 0, headset.adc.full_scale - 1)), gaze_deg


@pytest.fixture(scope="module")
def learnt(trained, ring16):
    return learn(trained[0], int8_features, *slipping(ring16, 80, 1), SLIPS_MM, seed=0)


@pytest.fixture(scope="module")
def unseen(trained, ring16, learnt):
    """Readings, gaze and wearers of other users."""
    wire, gaze_deg = slipping(ring16, 25, 2)
    users = [
        learnt.wearer(trained[0], int8_features, *one) for one in zip(wire[:, 0], gaze_deg[:, 0], strict=True)
    ]
    return wire, gaze_deg, users


def error_deg(learnt, wearers, unseen, pose):
    wire, gaze_deg, _ = unseen
    return np.array(
        [
            angular_error(learnt.gaze(wearer)(wire[user, pose]), gaze_deg[user, pose]).mean()
            for user, wearer in enumerate(wearers)
        ]
    )


def asked(learnt, unseen, pose, beside_deg=CENTRE):
    wire, _, users = unseen
    return [learnt.recentred(user, wire[k, pose, :8], beside_deg) for k, user in enumerate(users)]


def followed(learnt, unseen, pose, chosen=None):
    wire, gaze_deg, users = unseen
    after = []
    for k, wearer in enumerate(users):
        user = wearer
        rows = wire[k, pose] if chosen is None else wire[k, pose][chosen(gaze_deg[k, pose])]
        seen = user.moments(rows, openness_border=0.0)
        for _ in range(5):  # the same is seen again and again
            user = learnt.followed(user, seen, seen)
        after.append(user)
    return after


def test_a_look_at_one_target_undoes_most_of_a_slip(learnt, unseen):
    before = error_deg(learnt, unseen[2], unseen, 4)
    after = error_deg(learnt, asked(learnt, unseen, 4), unseen, 4)
    assert np.median(after) < 0.75 * np.median(before)


def test_a_look_a_little_beside_the_target_costs_a_headset_that_sits_still_less_than_it_is_beside(
    learnt, unseen
):
    before = error_deg(learnt, unseen[2], unseen, 1)
    after = error_deg(learnt, asked(learnt, unseen, 1, beside_deg=np.array([0.3, 0.0])), unseen, 1)
    assert np.median(after - before) < 0.3


def test_a_look_somewhere_else_moves_the_gaze_no_further_than_slips_do(learnt, unseen):
    wire, _, users = unseen
    ways = []
    for far_deg in (40.0, 400.0):
        target = np.array([far_deg, 0.0])
        now = learnt.recentred(users[0], wire[0, 1, :8], target)
        ways.append(np.linalg.norm(learnt.gaze(now)(wire[0, 1, :1]) - users[0].calibrated(wire[0, 1, :1])))
    assert ways[1] == pytest.approx(ways[0], rel=0.1)
    assert ways[1] < 20


@pytest.mark.parametrize("chosen", [None, lambda gaze_deg: gaze_deg[:, 0] > -2])
def test_readings_without_a_target_undo_a_slip_wherever_the_wearer_looked(learnt, unseen, chosen):
    before = error_deg(learnt, unseen[2], unseen, 4)
    after = error_deg(learnt, followed(learnt, unseen, 4, chosen), unseen, 4)
    assert np.median(after) < 0.7 * np.median(before)


def test_readings_without_a_target_leave_a_headset_that_sits_still_as_it_is(learnt, unseen):
    before = error_deg(learnt, unseen[2], unseen, 1)
    after = error_deg(learnt, followed(learnt, unseen, 1), unseen, 1)
    assert np.median(after - before) < 0.25


def test_guesses_are_trusted_as_far_as_later_ones_agree():
    random = np.random.default_rng(4)
    steady = random.normal(size=16)
    for noise, expected in ((0.0, 1.0), (1.0, 0.5), (10.0, 0.0)):
        agreement = Agreement()
        for _ in range(100):
            one, other = steady + noise * random.normal(size=(2, 16))
            agreement = agreement.after(one, other)
        assert agreement.share == pytest.approx(expected, abs=0.2)


def test_a_stare_says_nothing(learnt, unseen):
    wire, _, users = unseen
    seen = users[0].moments(np.tile(wire[0, 4, :8], (5, 1)), openness_border=0.0)
    assert not covers(seen)
    assert learnt.followed(users[0], seen, seen) is users[0]


def test_closed_eyes_are_not_looked_at(unseen):
    wire, _, users = unseen
    assert users[0].moments(wire[0, 1], openness_border=np.inf).count == 0


def test_what_is_old_is_forgotten():
    random = np.random.default_rng(3)
    old, new = (moments(random.normal(size=(9, 4)), random.normal(size=(9, 2))) for _ in range(2))
    both = old.kept(0.25) + new
    assert both.count == pytest.approx(9 * 1.25)
    np.testing.assert_allclose(both.readings, 0.25 * old.readings + new.readings)


def test_drift_tells_slips_from_rest(learnt, unseen):
    wire, _, users = unseen
    changes = [
        [learnt.implied(user, user.moments(wire[k, pose], openness_border=0.0)) for pose in range(1, POSES)]
        for k, user in enumerate(users)
    ]
    drift = np.array([[learnt.drift(now, own[0]) for now in own[1:]] for own in changes])
    slipped, at_rest = drift[:, -1], drift[:, 0]
    assert (slipped[:, None] > at_rest).mean() > 0.9
    assert (at_rest > learnt.alarm).mean() <= 0.1
    assert (slipped > learnt.alarm).mean() > 0.5


def test_what_was_learnt_survives_the_disk(learnt, trained, unseen, tmp_path):
    save_model(tmp_path / "model", *trained)
    assert load_recovery(tmp_path / "model", trained[0]) is None
    save_recovery(tmp_path / "model", learnt)
    again = load_recovery(tmp_path / "model", trained[0])
    for item in fields(Recovery):
        was, is_now = getattr(learnt, item.name), getattr(again, item.name)
        np.testing.assert_allclose(is_now, was, rtol=1e-6, atol=1e-9, err_msg=item.name)
    for pose in (1, 4):
        np.testing.assert_allclose(
            error_deg(again, asked(again, unseen, pose), unseen, pose),
            error_deg(learnt, asked(learnt, unseen, pose), unseen, pose),
            atol=1e-3,
        )
    with pytest.raises(ModelError, match="already exists"):
        save_recovery(tmp_path / "model", learnt)


def test_what_does_not_belong_to_a_model_is_refused(learnt, trained, tmp_path):
    for name in ("one", "other"):
        save_model(tmp_path / name, *trained)
    net = trained[0]
    save_recovery(tmp_path / "one", learnt)
    path = tmp_path / "one" / NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"cannot read .*learn again"):
        load_recovery(tmp_path / "one", net)
    path.write_bytes(whole.replace(b"psog-recovery 1", b"psog-recovery 2"))
    with pytest.raises(ModelError, match="expected 'psog-recovery 1'"):
        load_recovery(tmp_path / "one", net)
    told = (tmp_path / "one" / "model.json").read_text().split('"weights_sha256": "')[1][:64]
    path.write_bytes(whole.replace(told.encode(), b"0" * 64))
    with pytest.raises(ModelError, match="learnt from other weights"):
        load_recovery(tmp_path / "one", net)


def test_what_cannot_be_is_one_line(learnt, trained, ring16, unseen):
    wire, _, users = unseen
    with pytest.raises(ShapeError, match="0 readings"):
        learnt.recentred(users[0], wire[0, 1, :0], CENTRE)
    with pytest.raises(ModelError, match="two of them 0 mm"):
        learn(trained[0], int8_features, *slipping(ring16, 3, 1), (0.0, 1.0, 1.0, 2.0), seed=0)
