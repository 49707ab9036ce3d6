"""The application's calibration on the host: what is taken, and when the result may be used."""

import numpy as np
import pytest

from psog.device.error_codes import DeviceErrorCode
from psog.device.messages import MOST_UNEXPLAINED, GazeFlag
from psog.errors import ShapeError
from psog.firmware_export.host_tuning import HostHeadset
from psog.firmware_export.image_writer import write_image
from tests.firmware.device import ANYTHING, IMAGE, NET, OTHER_USER, READINGS, TARGETS
from tests.random_nets import grid_headset, with_embedding

TOLD = write_image(with_embedding(NET, 1, 6), grid_headset(3, 5))


REST = 91
"""Readings before a target's: one with too much light, and 90 ms until the eye counts as at rest."""


def looking(first=0, targets=9):
    """(targets, REST + 20, sensors)"""
    seen = READINGS[first : first + 20 * targets].reshape(targets, 20, -1)
    before = seen[:, :1].repeat(REST, axis=1)
    before[:, 0] = 65535
    return np.concatenate([before, seen], axis=1)


@pytest.fixture(params=[IMAGE, TOLD], ids=["alone", "told"])
def headset(request):
    return HostHeadset(request.param, 1000)


def test_a_calibration_replaces_none_and_another_users_but_not_itself(headset):
    mine = headset.tune(looking(), np.array(TARGETS), 20, None)
    others = headset.tune(looking(OTHER_USER), np.array(TARGETS), 20, None)
    assert mine.verdict == others.verdict == DeviceErrorCode.OK
    instead = headset.tune(looking(), np.array(TARGETS), 20, others.user)
    assert instead.verdict == DeviceErrorCode.OK
    assert instead.errors["in_use_deg"] > 5
    np.testing.assert_array_equal(instead.user.rows, mine.user.rows)
    again = headset.tune(looking(), np.array(TARGETS), 20, mine.user)
    assert again.verdict == DeviceErrorCode.NOT_BETTER
    assert again.errors["in_use_deg"] == pytest.approx(mine.errors["after_deg"], rel=1e-3)


def test_the_gaze_of_a_calibration_is_near_its_targets(headset):
    user = headset.tune(looking(), np.array(TARGETS), 20, None).user
    gaze_deg, flags = headset.gaze(READINGS[:ANYTHING], user)
    off = np.linalg.norm(gaze_deg - np.repeat(TARGETS, 20, axis=0), axis=1)
    strangers, _ = headset.gaze(READINGS[:ANYTHING], None)
    assert (flags & GazeFlag.VALID).all()
    assert np.sqrt((off**2).mean()) < 3
    assert np.linalg.norm(strangers - np.repeat(TARGETS, 20, axis=0), axis=1).mean() > 6


@pytest.mark.parametrize(
    "targets",
    [
        np.array(TARGETS) * (1, 0),  # all on a line: nothing is known of the other axis
        np.array([TARGETS[4 * k % 9] for k in range(9)]),  # not where the eye looks
    ],
)
def test_targets_that_readings_do_not_follow_are_refused(targets):
    tuned = HostHeadset(IMAGE, 1000).tune(looking(), targets, 20, None)
    assert tuned.errors["unexplained"] > MOST_UNEXPLAINED
    assert tuned.verdict == DeviceErrorCode.NOT_BETTER


def test_saturated_readings_are_passed_over_until_there_are_too_few(headset):
    dazzled = looking().copy()
    dazzled[:, REST + 10 :, :2] = 65535
    half = headset.tune(dazzled, np.array(TARGETS), 10, None)
    without = headset.tune(looking()[:, : REST + 10], np.array(TARGETS), 10, None)
    assert half.verdict == without.verdict
    np.testing.assert_array_equal(half.user.rows, without.user.rows)
    assert headset.tune(dazzled, np.array(TARGETS), 11, None).verdict == DeviceErrorCode.TOO_FEW


def test_no_targets_are_too_few(headset):
    tuned = headset.tune(looking(targets=1)[:0], np.zeros((0, 2)), 20, None)
    assert (tuned.verdict, tuned.user) == (DeviceErrorCode.TOO_FEW, None)


def test_one_target_replaces_none_and_what_is_far_off_but_no_calibration_that_fits(headset):
    all_of_them, one = np.array(TARGETS), np.array(TARGETS[4:5])
    mine = headset.tune(looking(), all_of_them, 20, None).user
    others = headset.tune(looking(OTHER_USER), all_of_them, 20, None).user
    seen = looking()[4:5]
    for in_use, verdict in (None, "OK"), (mine, "NOT_BETTER"), (others, "OK"):
        tuned = headset.tune(seen, one, 20, in_use)
        assert tuned.verdict is DeviceErrorCode[verdict]
        assert tuned.errors["unexplained"] == 1
        assert tuned.errors["after_deg"] < tuned.errors["left_out_deg"]
    assert tuned.errors["in_use_deg"] > 5


def test_arrays_that_do_not_belong_together_are_named(headset):
    with pytest.raises(ShapeError, match=r"targets have shape \(8, 2\), expected \(9, 2\)"):
        headset.tune(looking(), np.array(TARGETS[:8]), 20, None)
    with pytest.raises(ShapeError, match=r"readings have shape \(9, 111, 14\)"):
        headset.tune(looking()[..., :14], np.array(TARGETS), 20, None)
