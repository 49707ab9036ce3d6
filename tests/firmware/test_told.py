"""A network that is told whose eye it sees: the device finds the integers of psog.net.embedding."""

from dataclasses import replace

import numpy as np
import pytest

from psog.errors import DeviceError, ModelError, ShapeError
from psog.firmware_export.host_runtime import HostRuntime
from psog.firmware_export.image import write_image
from psog.net.embedding import personal
from psog.net.left_out import leave_targets_out
from psog.net.ridge import solve_head
from psog.net.told import kept
from tests.random_nets import PLANS, random_net, random_readings, with_embedding

CASES = [(plan, seed, corners) for plan in PLANS for seed in range(4) for corners in (False, True)]
READINGS = 300


def told_net(seed, plan, *, corners=False):
    """A network with an embedding, its headset, and a random calibration of it."""
    rng = np.random.default_rng((seed, corners))
    net, headset = random_net(seed, plan, corners=corners)
    net = with_embedding(net, seed, int(rng.integers(1, 33)))
    # Random features are nearly dependent: a stronger prior than training finds keeps the fit in float32.
    ridge = 0.1 * (64 * float(net.feature_quantization.scale)) ** 2
    net = replace(net, head=replace(net.head, ridge=ridge))
    targets, readings = int(rng.integers(1, 14)), int(rng.integers(1, 40))
    wire = random_readings(rng, net.normalisation, targets * readings).reshape(targets, readings, -1)
    target_deg = (rng.uniform(-1, 1, (targets, 2)) * headset.field_deg).astype(np.float32)
    return net, headset, wire, target_deg


def as_kept(wire, target_deg):
    """What the device keeps of a calibration."""
    parts = [kept(readings) for readings in wire]
    return np.concatenate(parts), np.repeat(target_deg, [len(part) for part in parts], axis=0)


def compared(plan, seed, corners):
    """Whether the device could run the network; then it must have found the same integers."""
    net, headset, wire, target_deg = told_net(seed, plan, corners=corners)
    try:
        runtime = HostRuntime(write_image(net, headset))
    except ModelError:
        assert corners  # a told sum could overflow 32 bits
        return False
    found = runtime.calibrate(wire, target_deg)
    own = personal(net, *as_kept(wire, target_deg))
    np.testing.assert_array_equal(found.biases, np.concatenate([layer.bias for layer in own.layers]))
    test = random_readings(np.random.default_rng(seed), net.normalisation, READINGS)
    np.testing.assert_array_equal(runtime.features(test, found.biases), own.features(own.input(test)))
    np.testing.assert_array_equal(runtime.features(test), net.features(net.input(test)))
    return True


def test_biases_and_features_are_the_integer_networks():
    done = sum(compared(*case) for case in CASES)
    assert done * READINGS >= 10_000


def test_the_head_is_fitted_to_the_network_that_has_been_told():
    net, headset, wire, target_deg = told_net(2, "valid")
    fit = HostRuntime(write_image(net, headset)).calibrate(wire, target_deg).fit
    samples, at = as_kept(wire, target_deg)
    own = personal(net, samples, at)
    real = own.real_features(own.features(own.input(samples)))
    expected = solve_head(real, at, net.head.weight, net.head.ridge)
    gaze = real @ fit.weight[:2, :-1].T + fit.weight[:2, -1]
    np.testing.assert_allclose(gaze, real @ expected[:, :-1].T + expected[:, -1], atol=2e-2)
    np.testing.assert_array_equal(fit.weight[2:], net.head.weight[2:])
    assert fit.after_deg == pytest.approx(np.sqrt(((gaze - at) ** 2).sum(axis=1).mean()), rel=1e-3)


@pytest.mark.parametrize(
    ("plan", "seed"), [("same", 1), ("valid", 2), ("mixed", 3), ("dense", 4), ("deep", 5)]
)
@pytest.mark.parametrize("told", [False, True])
def test_each_target_is_left_out_as_the_reference_does(plan, seed, told):
    net, headset, wire, target_deg = told_net(seed, plan)
    if not told:
        net = replace(net, embedding=None)
    fit = HostRuntime(write_image(net, headset)).calibrate(wire, target_deg).fit
    samples, at = as_kept(wire, target_deg)
    own = personal(net, samples, at)
    target = np.repeat(np.arange(len(wire)), [len(kept(readings)) for readings in wire])
    real = own.real_features(own.features(own.input(samples)))
    found = leave_targets_out(real, at, target, net.head.weight, net.head.ridge)
    assert fit.left_out_deg == pytest.approx(found.rms_deg, rel=2e-3)
    assert fit.left_out_worst_deg == pytest.approx(found.worst_deg, rel=2e-3)
    assert fit.after_deg == pytest.approx(found.after_deg, rel=2e-3)


@pytest.mark.parametrize("weaker", [1.0, 1e-2, 1e-4, 1e-9])
def test_a_target_is_left_out_exactly_or_the_fit_refused_however_weak_the_prior(weaker):
    net, headset, wire, target_deg = told_net(2, "valid")
    net = replace(net, embedding=None, head=replace(net.head, ridge=net.head.ridge * weaker))
    runtime = HostRuntime(write_image(net, headset))
    if weaker == 1e-9:  # float32 has no solution
        with pytest.raises(DeviceError, match="out of range"):
            runtime.calibrate(wire, target_deg)
        return
    samples, at = as_kept(wire, target_deg)
    target = np.repeat(np.arange(len(wire)), [len(kept(readings)) for readings in wire])
    real = net.real_features(net.features(net.input(samples)))
    found = leave_targets_out(real, at, target, net.head.weight, net.head.ridge)
    assert runtime.calibrate(wire, target_deg).fit.left_out_deg == pytest.approx(found.rms_deg, rel=1e-2)


def test_before_is_the_stranger_s_error_on_every_reading():
    net, headset, wire, target_deg = told_net(2, "valid")
    fit = HostRuntime(write_image(net, headset)).calibrate(wire, target_deg).fit
    error = net(wire.reshape(-1, wire.shape[2]))[:, :2] - np.repeat(target_deg, wire.shape[1], axis=0)
    assert fit.samples == len(error)
    assert fit.before_deg == pytest.approx(
        np.sqrt((error.astype(np.float64) ** 2).sum(axis=1).mean()), rel=1e-4
    )


def test_a_user_without_numbers_is_a_stranger():
    """Biases come back as they were when all numbers are zero."""
    net, headset, wire, target_deg = told_net(1, "mixed")
    zero = replace(net.embedding, weight=net.embedding.weight * 0, bias=net.embedding.bias * 0)
    net = replace(net, embedding=zero)
    found = HostRuntime(write_image(net, headset)).calibrate(wire, target_deg)
    assert not found.numbers.any()
    np.testing.assert_array_equal(found.biases, np.concatenate([layer.bias for layer in net.layers]))


def test_what_cannot_be_told_is_refused():
    net, headset, wire, target_deg = told_net(1, "same")
    runtime = HostRuntime(write_image(net, headset))
    with pytest.raises(DeviceError, match="too few"):
        runtime.calibrate(wire[:0], target_deg[:0])
    with pytest.raises(DeviceError, match="out of range"):
        runtime.calibrate(wire, target_deg + 100)
    with pytest.raises(ShapeError, match=r"expected \(targets, n, 15\)"):
        runtime.calibrate(wire[0], target_deg)
    with pytest.raises(ShapeError, match=r"expected \(42,\)"):
        runtime.features(wire[0], np.zeros(41, np.int32))
    far = replace(net.embedding, weight=net.embedding.weight * np.float32(1e6))
    beyond = HostRuntime(write_image(replace(net, embedding=far), headset))
    with pytest.raises(DeviceError, match="out of range"):
        beyond.calibrate(wire, target_deg)
