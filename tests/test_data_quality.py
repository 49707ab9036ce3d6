"""Data quality of recordings in which what happens is known."""

import numpy as np
import pytest

from psog.data_quality import (
    GazeSamples,
    data_quality,
    distance_mm,
    fixations,
    joined_samples,
    stretches,
    true_gaze,
)
from psog.recording import Recording

RATE_HZ = 500
NOISE_DEG = 0.1


def samples(seconds: float = 10.0, users: tuple[str, ...] = ("one",), **changes: object) -> GazeSamples:
    """Users who fixate straight ahead, seen with an offset of 0.5° and white noise."""
    rows = round(seconds * RATE_HZ)
    random = np.random.default_rng(1)
    true_deg = np.zeros((rows * len(users), 2))
    columns = {
        "t_us": np.tile(np.arange(rows) * round(1e6 / RATE_HZ), len(users)),
        "estimated_deg": true_deg + np.array([0.5, 0.0]) + random.normal(0, NOISE_DEG, true_deg.shape),
        "true_deg": true_deg,
        "shift_mm": np.zeros(len(true_deg)),
        "fixating": np.ones(len(true_deg), bool),
        "stretch": np.repeat(np.arange(len(users)), rows),
        "users": users,
    }
    return GazeSamples(**{**columns, **changes})


def recording(rows: int, **columns: np.ndarray) -> Recording:
    """One at 1 kHz whose sensors read nothing."""
    return Recording("ring16", np.arange(rows) * 1000, np.zeros((rows, 16), np.float32), columns)


def test_precision_and_offset_are_those_of_the_fixations():
    found = data_quality(samples())
    assert found["windows"] == 50
    assert found["offset_deg"] == pytest.approx(0.5, abs=0.01)
    assert found["precision"]["std_deg"] == pytest.approx(NOISE_DEG * np.sqrt(2), rel=0.02)
    assert found["precision"]["rms_s2s_deg"] == pytest.approx(NOISE_DEG * 2, rel=0.02)
    assert found["precision"]["bcea_deg2"] == pytest.approx(7.16 * NOISE_DEG**2, rel=0.03)
    assert found["eye_precision"] == {"rms_s2s_deg": 0, "std_deg": 0, "bcea_deg2": 0}


def test_no_window_goes_over_a_lost_sample_a_saccade_a_jolt_or_a_gap():
    """A thousand samples, windows of a hundred, faults at 150, 350, 550 and 750: whole ones fit between."""
    whole = samples(2.0)
    true_deg, fixating, shift_mm, t_us = (
        getattr(whole, name).copy() for name in ("true_deg", "fixating", "shift_mm", "t_us")
    )
    true_deg[150] = np.nan
    fixating[350] = False
    shift_mm[550:] = 1.0
    t_us[750:] += 100_000
    found = data_quality(samples(2.0, true_deg=true_deg, fixating=fixating, shift_mm=shift_mm, t_us=t_us))
    assert found["windows"] == 1 + 1 + 1 + 2 + 2


def test_lost_samples_are_counted_and_are_no_error():
    whole = samples()
    lost = whole.true_deg.copy()
    lost[:500] = np.nan
    estimated = whole.estimated_deg.copy()
    estimated[:500] = 90.0
    found = data_quality(samples(true_deg=lost, estimated_deg=estimated))
    assert found["data_loss"] == 0.1
    assert found["regions"][0]["mean_deg"] < 1
    assert sum(row["samples"] for row in found["map"]) == 4500


def test_a_gap_between_two_users_is_no_loss():
    assert data_quality(samples(users=("one", "two")))["data_loss"] == 0


def test_users_are_told_apart_and_their_stretches_are_put_together():
    first = samples(1.0, users=("a", "b"))
    second = samples(1.0, users=("b",))
    both = joined_samples([first, second])
    found = data_quality(both)
    assert {row["user"]: row["samples"] for row in found["users"]} == {"a": RATE_HZ, "b": 2 * RATE_HZ}


def test_error_goes_by_true_gaze_and_shift():
    whole = samples()
    true_deg = np.where(np.arange(len(whole))[:, None] % 2, (12.0, 0.0), (0.1, 0.1))
    shift_mm = np.where(np.arange(len(whole)) % 2, 1.1, np.nan)
    estimated = true_deg + np.where(np.arange(len(whole))[:, None] % 2, (2.0, 0.0), (1.0, 0.0))
    found = data_quality(samples(true_deg=true_deg, shift_mm=shift_mm, estimated_deg=estimated))
    assert [(row["from_deg"], row["mean_deg"]) for row in found["regions"]] == [(0, 1), (10, 2)]
    assert [(row["h_deg"], row["v_deg"]) for row in found["map"]] == [(2.5, 2.5), (12.5, 2.5)]
    assert [(row["shift_mm"], row["mean_deg"]) for row in found["shifts"]] == [(1, 2)]


def test_latency_is_by_how_much_the_estimate_comes_late():
    t_us = samples().t_us
    steps = np.stack([10 * np.sign(np.sin(t_us / 4e5)), np.zeros(len(t_us))], axis=1)
    found = data_quality(samples(true_deg=steps, estimated_deg=np.roll(steps, 6, axis=0)))
    assert found["latency_ms"] == pytest.approx(12, abs=0.2)
    assert data_quality(samples())["latency_ms"] is None


def test_fixations_are_the_labelled_ones():
    event = np.array([0, 1, 1, 2, 5], np.uint8)
    labelled, source = fixations(recording(5, event=event), np.zeros((5, 2)))
    assert labelled.tolist() == [False, True, True, False, False]
    assert source == "event"


def test_without_labels_fixations_are_where_the_gaze_is_slow():
    true_deg = np.zeros((1000, 2))
    true_deg[500:, 0] = 5.0
    true_deg[900] = np.nan
    still, source = fixations(recording(1000), true_deg)
    assert source == "speed"
    assert still[20:480].all() and still[520:880].all()
    assert not still[492:508].any() and not still[900 - 10] and not still[:10].any()


def test_what_is_not_valid_has_no_gaze():
    gaze = {"gaze_h_deg": np.ones(3, np.float32), "gaze_v_deg": np.zeros(3, np.float32)}
    found = true_gaze(recording(3, **gaze, valid=np.array([True, False, True])))
    assert np.isnan(found).any(axis=1).tolist() == [False, True, False]


def test_shift_is_the_distance_from_the_nominal_place():
    shifts = {"shift_x_mm": np.array([3.0, 0.0]), "shift_y_mm": np.array([4.0, 0.0])}
    assert distance_mm(recording(2, **shifts)).tolist() == [5.0, 0.0]
    assert np.isnan(distance_mm(recording(2))).all()


def test_a_stretch_ends_with_user_session_and_time():
    user = np.array([0, 0, 0, 7, 7, 7])
    session = np.array([0, 0, 1, 1, 1, 1])
    number, users = stretches(
        Recording(
            "ring16",
            np.array([0, 1, 2, 3, 4, 0]),
            np.zeros((6, 16), np.float32),
            {"user": user, "session": session},
        )
    )
    assert number.tolist() == [0, 0, 1, 2, 2, 3]
    assert users == ("0", "0", "7", "7")
