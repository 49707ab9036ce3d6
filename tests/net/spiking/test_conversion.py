"""From a trained network to spikes: the more steps, the more it is the network; and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from psog.errors import ModelError
from psog.net.spiking.conversion import SpikingConfig, activation_scales, convert
from tests.random_nets import random_net, random_readings


def scaled(plan="valid", seed=3):
    """A random network, scales of its activations, and readings it has not been scaled with."""
    net, _ = random_net(seed, plan, pairable=True)
    rng = np.random.default_rng(0)
    wire = random_readings(rng, net.normalisation, 300)
    scales = activation_scales(net, wire[None, None], np.zeros((1, 300, 2)))
    return net, scales, net.input(random_readings(rng, net.normalisation, 60))


@pytest.mark.parametrize("plan", ["dense", "valid", "same", "mixed"])
def test_features_come_closer_to_the_networks_with_every_doubling_of_the_steps(plan):
    net, scales, x = scaled(plan)
    expected = net.real_features(net.features(x))
    spiking = convert(net, scales, SpikingConfig(timesteps=256))
    observed = spiking.run(x, (4, 16, 64, 256))
    errors = [np.sqrt(((found - expected) ** 2).mean()) for found in observed.features]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.06 * np.sqrt((expected**2).mean())


def test_a_spike_in_every_step_stands_for_the_percentile():
    net, scales, _ = scaled()
    values = convert(net, scales, SpikingConfig(threshold=1.5)).spike_values
    np.testing.assert_allclose(values, 1.5 * scales)


def test_rates_follow_activations_up_to_saturation():
    """The first layer's spikes over steps, times what they stand for, are its activations."""
    net, scales, x = scaled("dense")
    spiking = convert(net, scales, SpikingConfig())
    steps = 128
    current = spiking.currents(x).astype(np.int64)
    threshold = spiking.layers[0].threshold
    rate = np.clip(current / threshold, 0, 1)
    activation = net.layers[0].output.real(net.layers[0](x))
    within = np.minimum(activation, scales[0])
    np.testing.assert_allclose(rate * scales[0], within, atol=1.01 * float(net.layers[0].output.scale))
    assert abs(spiking.run(x, (steps,)).spikes[0, 0] - steps * rate.sum()) < 0.02 * steps * rate.sum()


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
def test_weights_have_so_many_bits_and_every_neuron_uses_them_all(bits):
    net, scales, _ = scaled()
    first, *rest = convert(net, scales, SpikingConfig(weight_bits=bits)).layers
    np.testing.assert_array_equal(first.weight, net.layers[0].weight)
    for layer, trained in zip(rest, net.layers[1:], strict=True):
        largest = np.abs(layer.weight.astype(int)).reshape(layer.out_channels, -1).max(axis=1)
        assert (largest == 2 ** (bits - 1) - 1).all() if bits < 8 else (layer.weight == trained.weight).all()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"timesteps": 0}, "timesteps 0, expected 1 to 1024"),
        ({"timesteps": 1025}, "timesteps 1025"),
        ({"threshold": 0}, "threshold 0, expected 0.01 to 100"),
        ({"threshold": float("nan")}, "threshold nan"),
        ({"weight_bits": 1}, "weight bits 1, expected 2 to 8"),
        ({"leak_shift": 16}, "leak shift 16"),
        ({"start": -0.5}, "start -0.5"),
    ],
)
def test_a_setting_out_of_range_is_refused(changed, told):
    with pytest.raises(ModelError, match=told):
        SpikingConfig(**changed)


def test_a_hidden_layer_without_a_relu_is_refused():
    net, _, _ = scaled()
    linear = replace(net, layers=(replace(net.layers[0], relu=False), *net.layers[1:]))
    wire = np.zeros((1, 1, 4, len(net.normalisation.offset)), np.uint16)
    with pytest.raises(ModelError, match="no ReLU"):
        activation_scales(linear, wire, np.zeros((1, 4, 2)))


def test_a_silent_layer_is_refused():
    net, _, _ = scaled()
    low = replace(net.layers[0], bias=np.full_like(net.layers[0].bias, -(2**28)))
    wire = random_readings(np.random.default_rng(1), net.normalisation, 4)[None, None]
    with pytest.raises(ModelError, match="layer 0 is silent"):
        activation_scales(replace(net, layers=(low, *net.layers[1:])), wire, np.zeros((1, 4, 2)))


def test_a_network_without_hidden_layers_is_refused():
    net, _ = random_net(1, "single")
    with pytest.raises(ModelError, match="no hidden layer"):
        convert(net, np.empty(0), SpikingConfig())


def test_steps_in_which_a_membrane_might_overflow_are_refused_with_how_many_would_do():
    net, scales, _ = scaled()
    heavy = replace(net.layers[0], bias=np.full_like(net.layers[0].bias, 2**26))
    net = replace(net, layers=(heavy, *net.layers[1:]))
    with pytest.raises(ModelError, match=r"in 64 steps a membrane of layer 0 .* take at most 31"):
        convert(net, scales, SpikingConfig(timesteps=64))
    convert(net, scales, SpikingConfig(timesteps=31))
