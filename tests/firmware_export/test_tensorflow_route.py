"""TensorFlow's converter, given the same ranges, comes to a file that computes the same bits."""

import importlib.util

import numpy as np
import pytest

from psog.errors import MissingExtraError
from psog.firmware_export.interpreters import MicroInterpreter
from psog.firmware_export.tensorflow_route import convert_with_tensorflow
from psog.headset import load_headset
from tests.random_nets import PLANS, random_net, random_readings

INSTALLED = importlib.util.find_spec("tensorflow") is not None
needs_tensorflow = pytest.mark.skipif(
    not INSTALLED, reason="TensorFlow is not installed: pip install 'psog[tensorflow]'"
)


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's own
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("plan", PLANS)
def test_tensorflow_comes_to_the_same_bits(plan, seed):
    net, _ = random_net(seed, plan, load_headset("grid15"))
    x = net.input(random_readings(np.random.default_rng(seed), net.normalisation, 600))
    features = MicroInterpreter(convert_with_tensorflow(net)).features(x)
    np.testing.assert_array_equal(features, net.features(x))


@pytest.mark.skipif(INSTALLED, reason="TensorFlow is installed")
def test_a_missing_tensorflow_names_its_extra():
    with pytest.raises(MissingExtraError, match=r"pip install 'psog\[tensorflow\]'"):
        convert_with_tensorflow(random_net(0)[0])
