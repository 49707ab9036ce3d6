"""A network that is told whose eye it sees."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from psog.errors import ModelError, ShapeError
from psog.net.calibrated import calibrated, float_features, int8_features, uncalibrated
from psog.net.convert import from_integer, to_integer
from psog.net.embedding import moments, personal
from psog.net.normalise import to_steps
from psog.net.store import load_model, save_model
from psog.net.tensors import pack, unpack
from psog.net.told import DeviceEmbedding, kept, statistics
from tests.net.conftest import SMALL, toy_episodes


@pytest.fixture(scope="module")
def told(told_toy):
    """A small network with an embedding, and its report."""
    return told_toy


@pytest.fixture(scope="module")
def calibration(ring16):
    """Readings and targets of one user's calibration."""
    episodes = toy_episodes("ring16", users=1, seed=9)
    return ring16.to_wire(episodes.readings[0, 0]), episodes.gaze_deg[0, 0]


def test_statistics_are_the_mean_and_the_covariance_with_the_targets():
    random = np.random.default_rng(0)
    inputs, target_deg = random.integers(-128, 128, (40, 5)), random.normal(size=(40, 2)) * 10
    found = statistics(inputs, target_deg)
    np.testing.assert_allclose(found[:, 0], inputs.mean(axis=0), rtol=1e-6)
    for axis in (0, 1):
        expected = np.cov(inputs.T, target_deg[:, axis] / 20, ddof=0)[:5, 5]
        np.testing.assert_allclose(found[:, 1 + axis], expected, rtol=1e-5)
    in_torch = moments(
        torch.from_numpy(inputs).double()[None], torch.from_numpy(target_deg)[None] / 20, torch.ones(1, 40)
    )
    np.testing.assert_allclose(in_torch[0].numpy(), found.T.ravel(), rtol=1e-5)


def test_the_device_s_numbers_are_the_trained_ones(told, calibration):
    net, _ = told
    wire, target_deg = calibration
    module = from_integer(net).eval()
    steps = torch.from_numpy(to_steps(net.normalisation, wire.astype(np.float32)))[None]
    module.quantized = True
    with torch.no_grad():
        target = torch.from_numpy(target_deg)[None] / 20
        expected = module.embedding.numbers(
            moments(module.real_inputs(steps), target, torch.ones(1, len(wire)))
        )
    found = net.embedding.device(net).numbers(net.centred(wire), target_deg)
    np.testing.assert_allclose(found, expected[0].numpy(), atol=1e-4)


def test_samples_of_a_closed_eye_tell_nothing():
    random = torch.Generator().manual_seed(1)
    inputs, target = torch.randn(2, 30, 4, generator=random), torch.randn(2, 30, 2, generator=random)
    counted = (torch.arange(30) < 20).float().expand(2, -1)
    torch.testing.assert_close(
        moments(inputs, target, counted), moments(inputs[:, :20], target[:, :20], torch.ones(2, 20))
    )


def test_one_point_has_a_mean_and_no_covariance():
    found = statistics(np.full((7, 3), 5), np.full((7, 2), 4.0))
    np.testing.assert_allclose(found, [[5, 0, 0]] * 3, atol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "targets"), [((0, 5), (0, 2)), ((4, 6), (4, 2)), ((4, 5), (3, 2)), ((4, 5), (4, 3))]
)
def test_samples_that_do_not_belong_together_are_refused(inputs, targets):
    embedding = DeviceEmbedding(np.zeros((5, 3, 4), np.float32), np.zeros(4, np.float32), (), ())
    with pytest.raises(ShapeError, match=r"expected \(n, 5\) and \(n, 2\)"):
        embedding.numbers(np.zeros(inputs, np.int32), np.zeros(targets))


@pytest.mark.parametrize(
    ("readings", "places"), [(300, [37, 112, 187, 262]), (7, [0, 2, 4, 6]), (3, [0, 1, 2])]
)
def test_a_device_keeps_readings_evenly_over_a_target(readings, places):
    wire = np.arange(readings, dtype=np.uint16)[:, None]
    assert kept(wire)[:, 0].tolist() == places


def test_a_user_beyond_reason_is_refused():
    embedding = DeviceEmbedding(np.full((1, 3, 1), 1e6, np.float32), np.zeros(1, np.float32), (), ())
    with pytest.raises(ShapeError, match=r"numbers up to 1.2e\+08, at most 65536"):
        embedding.numbers(np.full((4, 1), 120, np.int32), np.zeros((4, 2)))


def test_a_personal_network_is_the_same_but_for_its_biases(told, calibration):
    net, _ = told
    own = personal(net, *calibration)
    assert own.embedding is None
    changed = 0
    for before, after in zip(net.layers, own.layers, strict=True):
        np.testing.assert_array_equal(before.weight, after.weight)
        assert before.output == after.output
        changed += np.count_nonzero(before.bias != after.bias)
    assert changed > 10
    assert own.macs == net.macs


def test_the_personal_network_computes_what_the_trained_one_does_for_that_user(told, calibration):
    net, _ = told
    wire, target_deg = calibration
    module = from_integer(net).eval()
    steps = torch.from_numpy(to_steps(net.normalisation, wire.astype(np.float32)))[None]
    with torch.no_grad():
        target = torch.from_numpy(target_deg)[None] / 20
        numbers = module.embedding.numbers(
            moments(module.real_inputs(steps), target, torch.ones(1, len(wire)))
        )
        by_torch = module.features(steps, numbers)[0].numpy()
    own = personal(net, wire, target_deg)
    by_integers = own.real_features(own.features(own.input(wire)))
    difference = np.abs(by_torch - by_integers) / own.feature_quantization.scale
    assert (difference > 1.5).mean() < 0.02
    assert (difference > 0.5).mean() < 0.08


def test_being_told_helps(told, ring16):
    """Unseen users, after a shift: the same network told, and with the fitted head alone."""
    net, _ = told
    episodes = toy_episodes("ring16", users=40, seed=77)
    wire = ring16.to_wire(episodes.readings)

    def error(of, form):
        errors = []
        for user in range(40):
            is_open = episodes.openness[user] > 0.5
            fit = is_open[0]
            wearer = calibrated(of, form, wire[user, 0][fit], episodes.gaze_deg[user, 0][fit])
            gaze = wearer(wire[user, 1][is_open[1]])
            errors.append(np.linalg.norm(gaze - episodes.gaze_deg[user, 1][is_open[1]], axis=1).mean())
        return np.mean(errors)

    for form in (float_features, int8_features):
        assert error(net, form) < error(replace(net, embedding=None), form)
    strangers = [uncalibrated(net, int8_features)(wire[k, 0]) - episodes.gaze_deg[k, 0] for k in range(40)]
    assert np.linalg.norm(np.concatenate(strangers), axis=1).mean() < 10


def test_an_embedding_survives_the_disk_and_training_again(told, tmp_path, calibration):
    save_model(tmp_path / "model", *told)
    loaded = load_model(tmp_path / "model").net
    again = to_integer(from_integer(loaded))
    for net in (loaded, again):
        for part, before in zip(parts(net.embedding), parts(told[0].embedding), strict=True):
            np.testing.assert_array_equal(part, before)
    wire, target_deg = calibration
    np.testing.assert_array_equal(
        personal(loaded, wire, target_deg)(wire), personal(told[0], wire, target_deg)(wire)
    )


def parts(embedding):
    return (embedding.weight, embedding.bias, *embedding.shifts)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("embedding", 33, "embedding is 33, 1 to 32"),
        ("embedding", 3, "tensor embedding.weight"),
        ("embedding", None, "embedding is None"),
        ("embedding.shift1", None, "tensor embedding.shift1 is missing"),
        ("embedding.bias", np.full(4, np.nan, np.float32), "not finite"),
    ],
)
def test_a_damaged_embedding_is_refused(told, key, value, message):
    description, tensors = pack(told[0])
    (description if key == "embedding" else tensors)[key] = value
    with pytest.raises(ModelError, match=message):
        unpack(description, tensors)


def test_no_more_numbers_than_can_be():
    with pytest.raises(ModelError, match="user embedding of 33 numbers, 0 to 32"):
        replace(SMALL, embedding=33)


def test_a_network_without_an_embedding_stays_as_it_is(trained, calibration):
    assert personal(trained[0], *calibration) is trained[0]
