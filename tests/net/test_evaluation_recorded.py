"""What a network makes of recordings: the model of tests/conftest.py on a simulated wearer, and bad input."""

from dataclasses import replace

import numpy as np
import pytest

from psog.errors import ModelError, RecordingError
from psog.headset import load_headset
from psog.metrics import accuracy
from psog.net.recorded import joined_gaze, recorded_gaze
from psog.net.store import load_model
from psog.recording import Recording
from psog.sim.config import SimulationConfig
from psog.sim.simulate import simulate
from tests.data_paths import needs_shared_data, psog_nn
from tests.random_nets import random_net

HEADSET = load_headset("ring16")
BORDER = 0.8


@pytest.fixture(scope="module")
def net(tiny_model):
    return load_model(tiny_model).net


@pytest.fixture(scope="module")
def worn():
    """Two simulated users who look at calibration targets for 11 s each."""
    return simulate(SimulationConfig(HEADSET, users=2, seconds=11, seed=4, task="calibration"))


@pytest.fixture(scope="module")
def gaze(net, worn):
    """Their gaze by the head of the model."""
    return judged(net, worn)


@pytest.fixture(scope="module")
def calibrated(net, worn):
    """Their gaze from the seventh second, by heads fitted to the first six."""
    return judged(net, worn, calibration_s=6)


def judged(net, recording, **options):
    return recorded_gaze(net, HEADSET, recording, openness_border=BORDER, **options)


def test_gaze_is_that_of_the_integer_model(net, worn, gaze):
    rows = slice(5000, 7000)
    expected = net(HEADSET.to_wire(worn.readings[rows]))
    np.testing.assert_allclose(gaze.samples.estimated_deg[rows], expected[:, :2], atol=1e-4)
    assert gaze.shown[rows].tolist() == (expected[:, 2] >= BORDER).tolist()


def test_closed_eyes_are_data_loss_and_no_error(worn, gaze):
    found = gaze.report()
    valid = worn.columns["valid"]
    seen = accuracy(gaze.samples.estimated_deg[valid], worn.gaze_deg[valid].astype(float))
    assert found["data_loss"] == pytest.approx(1 - valid.mean(), abs=1e-6)
    assert 0 < found["data_loss"] < 0.2
    assert found["int8"]["mean_deg"] == pytest.approx(seen.mean_deg, abs=1e-4)


def test_what_the_device_withholds_is_worse_than_what_it_shows(calibrated):
    found = calibrated.report()
    assert 0 < found["withheld"] < 0.2
    assert found["int8_shown"]["samples"] < found["int8"]["samples"]
    assert found["int8_shown"]["mean_deg"] < found["int8"]["mean_deg"]


def test_precision_is_of_labelled_fixations_and_includes_the_eye(gaze):
    found = gaze.report()
    assert found["fixations_from"] == "event"
    assert found["windows"] > 40
    for measure, of_eye in found["eye_precision"].items():
        assert found["precision"][measure] > of_eye > 0


def test_a_network_without_memory_has_no_latency(gaze):
    assert gaze.report()["latency_ms"] == pytest.approx(0, abs=1.5)


def test_calibration_takes_the_first_seconds_and_helps(gaze, calibrated):
    before, after = (one.report()["int8"]["mean_deg"] for one in (gaze, calibrated))
    assert len(calibrated.samples) == len(gaze.samples) - 2 * 6 * 1000
    assert after < 0.7 * before


def test_each_user_is_calibrated_alone(net, worn, calibrated):
    """The first user's gaze is the same whether or not another one follows."""
    alone = judged(net, worn.take(slice(0, 11_000)), calibration_s=6).samples.estimated_deg
    np.testing.assert_allclose(alone, calibrated.samples.estimated_deg[: len(alone)], atol=1e-9)


def test_recordings_together_have_the_users_of_each(net, worn, gaze):
    one = judged(net, worn.take(slice(0, 2000)))
    both = joined_gaze({"one": one, "two": gaze}).report()
    assert [row["user"] for row in both["users"]] == ["one", "two 0", "two 1"]
    assert both["samples"] == 2000 + len(worn)


@needs_shared_data
def test_a_third_party_recording_in_which_the_headset_moves_all_the_time_has_no_fixation():
    from psog.third_party import read_psog_nn

    grid15 = load_headset("grid15")
    net, _ = random_net(1, headset=grid15)
    found = recorded_gaze(net, grid15, read_psog_nn(psog_nn("eyelink_1")), openness_border=BORDER).report()
    assert found["fixations_from"] == "speed"
    assert found["precision"] is None
    assert found["shifts"][-1]["shift_mm"] == 3.0


def spoilt(worn: Recording, what: str) -> Recording:
    """A stretch of a recording with one thing wrong."""
    part = worn.take(slice(0, 2000))
    columns, readings = dict(part.columns), part.readings.copy()
    match what:
        case "headset":
            return replace(part, headset="grid15")
        case "sensors":
            return replace(part, readings=readings[:, :5])
        case "empty":
            return part.take(slice(0, 0))
        case "gaze":
            del columns["gaze_h_deg"]
        case "valid":
            columns["valid"] = np.zeros(2000, bool)
        case "nan gaze":
            columns["gaze_v_deg"] = np.full(2000, np.nan, np.float32)
        case "nan":
            readings[100, 3] = np.nan
        case "saturated":
            readings[::10, 5] = HEADSET.adc.full_scale - 1
        case "dark":
            readings[:, 5] = 0
    return replace(part, columns=columns, readings=readings)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("headset", "of headset 'grid15' with 16 sensors, expected 'ring16'"),
        ("sensors", "with 5 sensors, expected 'ring16' with 16"),
        ("empty", "has no rows"),
        ("gaze", r"no gaze \(gaze_h_deg\)"),
        ("valid", "none of its 2000 rows is valid and has gaze"),
        ("nan gaze", "none of its 2000 rows is valid and has gaze"),
        ("nan", "sensor 3 is not a number"),
        ("saturated", "sensor 5 is saturated in 10 %"),
        ("dark", "sensor 5 is saturated in 100 %"),
    ],
)
def test_what_cannot_be_judged_is_said(net, worn, what, message):
    with pytest.raises(RecordingError, match=message):
        judged(net, spoilt(worn, what))


def test_a_calibration_that_leaves_nothing_is_refused(net, worn):
    with pytest.raises(RecordingError, match="no gaze is left to judge after 100 s of calibration"):
        judged(net, worn, calibration_s=100)


def test_a_calibration_needs_a_fixation(net, worn):
    saccades_first = worn.take(slice(0, 2000))
    event = np.where(np.arange(2000) < 1500, 2, 1)
    part = replace(saccades_first, columns={**saccades_first.columns, "event": event})
    with pytest.raises(RecordingError, match="cannot calibrate stretch 0 of the recording: no fixation"):
        judged(net, part, calibration_s=1)


def test_a_model_of_another_headset_is_refused(worn):
    net, _ = random_net(1, headset=load_headset("grid15"))
    with pytest.raises(ModelError, match="the model is for headset 'grid15', expected 'ring16'"):
        judged(net, worn)
