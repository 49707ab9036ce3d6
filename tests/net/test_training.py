"""What training promises: determinism, blinks that do not count, a net that calibrates, clear refusals."""

from dataclasses import replace

import numpy as np
import pytest

from psog.errors import ModelError
from psog.headset import load_headset
from psog.metrics import accuracy
from psog.net.evaluation import evaluate
from psog.net.loop import TrainingConfig
from psog.net.training import train, train_plain
from tests.net.conftest import SMALL, toy_episodes

SHORT = TrainingConfig(steps=40, architecture=SMALL, seed=5)


def integers(net):
    """Everything a device would hold, as one list of arrays."""
    layers = [array for layer in net.layers for array in (layer.weight, layer.bias, layer.weight_scale)]
    return [net.normalisation.multiplier, *layers, net.head.weight, np.array(net.head.ridge)]


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(integers(a), integers(b), strict=True))


def test_a_run_counted_in_steps_depends_on_data_config_and_seed_alone(ring16):
    episodes = toy_episodes("ring16", 30, 1)
    first, _ = train(episodes, ring16, SHORT)
    assert equal(first, train(episodes, ring16, SHORT)[0])
    assert not equal(first, train(episodes, ring16, replace(SHORT, seed=6))[0])


def test_the_gaze_of_a_blinking_sample_does_not_count(ring16):
    episodes = toy_episodes("ring16", 30, 1)
    closed = episodes.openness < 0.5
    assert closed.any()
    wild = replace(episodes, gaze_deg=np.where(closed[..., None], np.float32(500), episodes.gaze_deg))
    assert equal(train(episodes, ring16, SHORT)[0], train(wild, ring16, SHORT)[0])


def test_calibration_of_new_users_helps_and_survives_a_shift(trained, ring16):
    net, _ = trained
    errors = evaluate(net, toy_episodes("ring16", 40, 77), ring16, slips_mm=(0.5, 1.0))
    for form in ("float", "int8"):
        before = errors[form]["uncalibrated"]["median_deg"]
        for slip in errors[form]["slips"].values():
            assert slip["median_deg"] < 0.6 * before


def test_openness_tells_blinks_from_open_eyes(trained, ring16):
    episodes = toy_episodes("ring16", 40, 78)
    openness = trained[0](ring16.to_wire(episodes.readings.reshape(-1, 16)))[:, 2]
    closed = episodes.openness.ravel() < 0.5
    assert openness[closed].max() < 0.5 < openness[~closed].min()


def test_a_run_counted_in_seconds_ends_quantized(ring16):
    config = replace(SHORT, steps=None, seconds=0.3)
    net, report = train(toy_episodes("ring16", 30, 1), ring16, config)
    assert net.feature_count == 8
    assert report["training"]["steps_done"] > 0
    assert report["training"]["seconds"] == 0.3


def test_progress_goes_from_zero_to_one(ring16):
    seen = []
    train(toy_episodes("ring16", 30, 1), ring16, replace(SHORT, steps=120), seen.append)
    assert seen[0].fraction == 0 and seen[-1].fraction == 1
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    assert seen[-1].error_deg < seen[0].error_deg


def test_plain_training_learns_a_recording():
    grid15 = load_headset("grid15")
    episodes = toy_episodes("grid15", 1, 3, poses=1, samples=3000)
    is_open = episodes.openness[0, 0] > 0.5
    readings, gaze_deg = episodes.readings[0, 0][is_open], episodes.gaze_deg[0, 0][is_open]
    net, report = train_plain(readings, gaze_deg, grid15, replace(SHORT, steps=600))
    estimated = net(grid15.to_wire(readings))
    assert accuracy(estimated[:, :2], gaze_deg).mean_deg < 0.5
    assert report["data"] == {"kind": "recordings", "rows": len(readings)}


def spoiled(value, share):
    episodes = toy_episodes("ring16", 30, 1)
    readings = episodes.readings.copy()
    readings[: max(1, int(30 * share)), 0, :, 3] = value
    return replace(episodes, readings=readings)


@pytest.mark.parametrize(
    ("episodes", "message"),
    [
        (
            toy_episodes("grid15", 30, 1),
            "episodes are of headset 'grid15' with 15 sensors, expected 'ring16'",
        ),
        (toy_episodes("ring16", 19, 1), "19 users are too few to train on; at least 20"),
        (toy_episodes("ring16", 30, 1, poses=1), "1 poses of 24 samples; at least 2 poses of 16"),
        (spoiled(np.nan, 0), "sensor 3 is not a number in row 0"),
        (spoiled(5000.0, 0.5), "sensor 3 is saturated in 17 %"),
        (spoiled(4095.0, 0.5), "sensor 3 is saturated in 17 %"),
    ],
)
def test_episodes_that_cannot_be_trained_on_are_refused(ring16, episodes, message):
    with pytest.raises(ModelError, match=message):
        train(episodes, ring16, SHORT)


@pytest.mark.parametrize("budget", [{}, {"steps": 10, "seconds": 1.0}, {"steps": 0}, {"seconds": -1.0}])
def test_a_budget_is_either_steps_or_seconds(budget):
    with pytest.raises(ModelError, match="give one of them, greater than 0"):
        TrainingConfig(**budget)


def test_a_diverging_run_stops_with_one_line(ring16):
    with pytest.raises(ModelError, match="diverged"):
        train(toy_episodes("ring16", 30, 1), ring16, replace(SHORT, learning_rate=1e30))


def test_evaluation_refuses_what_does_not_belong_together(trained, ring16):
    with pytest.raises(ModelError, match="the model is for headset 'ring16', the episodes are of 'grid15'"):
        evaluate(trained[0], toy_episodes("grid15", 3, 1), ring16, slips_mm=(0.5, 1.0))
    with pytest.raises(ModelError, match="3 poses, expected a calibration and 3 slips"):
        evaluate(trained[0], toy_episodes("ring16", 3, 1), ring16, slips_mm=(0.0, 0.5, 1.0))
