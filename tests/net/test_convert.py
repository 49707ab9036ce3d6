"""The fake-quantized network in torch and the integer network compute the same thing."""

import numpy as np
import pytest
import torch

from psog.errors import ModelError
from psog.headset import load_headset
from psog.net.architecture import Architecture, Convolution, mlp, standard
from psog.net.convert import from_integer, to_integer
from psog.net.integer import IntegerNet
from psog.net.normalise import fit_normalisation, to_steps
from psog.net.qat import build
from tests.net.conftest import toy_episodes


def integer_and_torch(net: IntegerNet, wire):
    """int8 features by both, as whole numbers."""
    module = from_integer(net).eval()
    with torch.no_grad():
        real = module.features(torch.from_numpy(to_steps(net.normalisation, wire))).numpy()
    quantization = net.feature_quantization
    return net.features(net.input(wire)).astype(int), np.rint(
        real / quantization.scale + quantization.zero_point
    ).astype(int)


def toy_wire(seed: int):
    headset = load_headset("ring16")
    return headset.to_wire(toy_episodes("ring16", 60, seed).readings.reshape(-1, headset.sensor_count))


def test_features_of_a_trained_network_agree_within_one_step(trained):
    by_integers, by_torch = integer_and_torch(trained[0], toy_wire(7))
    difference = np.abs(by_integers - by_torch)
    assert (difference > 1).mean() < 0.01
    assert (difference > 0).mean() < 0.05  # double rounding on the device, one rounding in torch


def test_gaze_error_of_a_trained_network_agrees_within_a_hundredth_of_a_degree(trained, ring16):
    net, _ = trained
    episodes = toy_episodes("ring16", 60, 8)
    wire = ring16.to_wire(episodes.readings.reshape(-1, 16))
    gaze_deg = episodes.gaze_deg.reshape(-1, 2)
    module = from_integer(net).eval()
    with torch.no_grad():
        features = module.features(torch.from_numpy(to_steps(net.normalisation, wire))).numpy()
    by_torch = features @ net.head.weight[:2, :-1].T + net.head.weight[:2, -1]
    errors = [np.linalg.norm(gaze - gaze_deg, axis=1).mean() for gaze in (net(wire)[:, :2], by_torch)]
    assert errors[0] == pytest.approx(errors[1], abs=0.01)


def test_converting_back_and_forth_keeps_every_integer(trained):
    net, _ = trained
    again = to_integer(from_integer(net))
    for before, after in zip(net.layers, again.layers, strict=True):
        np.testing.assert_array_equal(before.weight, after.weight)
        np.testing.assert_array_equal(before.bias, after.bias)
        assert before.output.zero_point == after.output.zero_point
    wire = toy_wire(9)
    np.testing.assert_array_equal(net.features(net.input(wire)), again.features(again.input(wire)))


@pytest.mark.parametrize("name", ["grid15", "ring16"])
@pytest.mark.parametrize(
    "architecture",
    [
        None,
        Architecture((), (20,), features=8),
        Architecture((), (20,), features=8, planes=2),
        Architecture((Convolution(5, "same"), Convolution(7, "valid")), (), features=8, planes=2),
        Architecture((Convolution(5, "same"), Convolution(7, "valid")), (), features=8),
    ],
)
def test_every_kind_of_layer_computes_what_its_integers_compute(name, architecture):
    headset = load_headset(name)
    rng = np.random.default_rng(2)
    wire = np.rint(rng.normal(30000, 3000, (2000, headset.sensor_count))).astype(np.uint16)
    architecture = architecture or standard(headset)
    normalisation = fit_normalisation(wire.astype(float), planes=architecture.planes)
    net = build(architecture, headset, normalisation, seed=1)
    net.quantize()
    net(torch.from_numpy(to_steps(normalisation, wire)))  # sets the ranges
    by_integers, by_torch = integer_and_torch(to_integer(net), wire)
    assert np.abs(by_integers - by_torch).mean() < 0.2  # a transposed kernel or map gives tens


def test_standard_networks_fit_the_mac_budget():
    for name in ("grid15", "ring16"):
        headset = load_headset(name)
        for architecture in (standard(headset), mlp(headset)):
            wire = np.linspace(9000, 60000, 50)[:, None].repeat(headset.sensor_count, 1)
            normalisation = fit_normalisation(wire, planes=architecture.planes)
            net = build(architecture, headset, normalisation, seed=0)
            net.quantize()
            net(torch.zeros(4, headset.sensor_count))
            assert to_integer(net).macs <= 40_000
            assert to_integer(net).feature_count == 32


def test_a_network_never_run_with_quantization_cannot_be_converted(ring16):
    wire = np.random.default_rng(0).uniform(1e4, 5e4, (100, 16))
    normalisation = fit_normalisation(wire, planes=standard(ring16).planes)
    with pytest.raises(ModelError, match="no activation range"):
        to_integer(build(standard(ring16), ring16, normalisation, seed=0))


def test_a_diverged_network_cannot_be_converted(trained):
    net = from_integer(trained[0])
    with torch.no_grad():
        net.layers[0].weight[0, 0] = float("nan")
    with pytest.raises(ModelError, match="diverged: layer 0"):
        to_integer(net)


def test_a_grid_too_small_for_the_convolutions_is_refused():
    with pytest.raises(ModelError, match="grid of 3×5 cells is too small for 2 convolutions"):
        Architecture((Convolution(4), Convolution(4)), ()).map_shape((3, 5))
