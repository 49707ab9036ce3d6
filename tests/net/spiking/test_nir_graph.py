"""The NIR graph, written, read back, and run by an interpreter that knows nothing of psog."""

import numpy as np
import pytest

from psog.errors import MissingExtraError
from psog.net.spiking.conversion import SpikingConfig, activation_scales, convert
from psog.net.spiking.nir_graph import check_can_write_nir, write_nir
from tests.random_nets import random_net, random_readings

STEPS = 12


def converted(plan, config):
    net, _ = random_net(3, plan, pairable=True)
    wire = random_readings(np.random.default_rng(0), net.normalisation, 200)
    scales = activation_scales(net, wire[None, None], np.zeros((1, 200, 2)))
    return convert(net, scales, config), net.input(wire[:4])


def read_back(folder, spiking):
    import nir

    write_nir(folder / "a.nir", spiking)
    return nir.read(folder / "a.nir")


def interpreted(graph, spiking, x, **how):
    from tests.net.spiking.nir_interpreter import run

    inputs = (x.astype(float) - spiking.input_zero).transpose(0, 3, 1, 2)
    membranes = np.array([run(graph, one, STEPS, **how) for one in inputs])
    return spiking.features(membranes[:, None, None], STEPS)


@pytest.mark.parametrize("plan", ["valid", "same", "mixed", "dense"])
@pytest.mark.parametrize(
    "config", [SpikingConfig(), SpikingConfig(threshold=0.6, weight_bits=5, reset="zero")]
)
def test_the_graph_read_back_computes_the_same_to_the_bit(tmp_path, plan, config):
    spiking, x = converted(plan, config)
    found = interpreted(read_back(tmp_path, spiking), spiking, x)
    np.testing.assert_array_equal(found, spiking.run(x, (STEPS,)).features[0])


def test_a_reader_that_follows_nir_alone_has_the_network_with_a_hard_reset_from_zero(tmp_path):
    spiking, x = converted("valid", SpikingConfig())
    literal, _ = converted("valid", SpikingConfig(reset="zero", start=0.0))
    found = interpreted(read_back(tmp_path, spiking), spiking, x, metadata=False)
    np.testing.assert_array_equal(found, literal.run(x, (STEPS,)).features[0])
    assert (found != spiking.run(x, (STEPS,)).features[0]).any()


def test_a_leak_becomes_a_leaky_neuron_whose_spikes_are_about_as_many(tmp_path):
    """Ours rounds a membrane's loss down to whole units, NIR does not round."""
    spiking, x = converted("dense", SpikingConfig(leak_shift=4))
    graph = read_back(tmp_path, spiking)
    assert {type(node).__name__ for node in graph.nodes.values()} >= {"LIF", "I", "Affine"}
    found, expected = interpreted(graph, spiking, x), spiking.run(x, (STEPS,)).features[0]
    assert np.abs(found - expected).mean() < 0.05 * expected.mean()


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'psog\[spiking\]'"):
        check_can_write_nir()
