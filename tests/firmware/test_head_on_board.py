"""A head on a core with fused multiply-adds: one sum for each output, feature by feature, to the bit."""

from fractions import Fraction

import numpy as np
import pytest

from psog.firmware_export.boards import BOARDS
from psog.firmware_export.image import write_image
from psog.firmware_export.instructions import measure
from tests.firmware.emulated import WITH_OWN_KERNELS
from tests.random_nets import LayerPlan, random_net, random_readings

pytestmark = pytest.mark.skipif(not WITH_OWN_KERNELS, reason="no cross compiler or no QEMU is installed")


def rounded(exact: Fraction) -> Fraction:
    """To the nearest float32, to even where two are as near; without subnormals."""
    if exact == 0:
        return exact
    exponent = exact.numerator.bit_length() - exact.denominator.bit_length() - 24
    if abs(exact) / Fraction(2) ** exponent >= 1 << 24:
        exponent += 1
    unit = Fraction(2) ** exponent
    return round(exact / unit) * unit


def fused(rows, features, net):
    """Each output of a head (4, features + 1) by multiply-adds that round once."""
    source = net.layers[-1].output
    scale = Fraction(float(np.float32(source.scale)))
    outputs = []
    for row in rows.astype(np.float32):
        *weights, bias = (Fraction(float(weight)) for weight in row)
        total = Fraction(0)
        for weight, feature in zip(weights, features, strict=True):
            total = rounded(weight * (int(feature) - source.zero_point) + total)
        outputs.append(float(rounded(total * scale + bias)))
    return np.array(outputs, np.float32)


@pytest.mark.parametrize("board", WITH_OWN_KERNELS)
@pytest.mark.parametrize("features", [1, 3, 4, 10, 64])
def test_every_output_is_a_chain_of_fused_multiply_adds(board, features):
    plan = (LayerPlan("dense", features),)
    net, headset = random_net(features, plan, pairable=True)
    wire = random_readings(np.random.default_rng(features), net.normalisation, 5)
    found = measure(board, write_image(net, headset, BOARDS[board].target.packings[0]), wire)
    np.testing.assert_array_equal(found.features, net.features(net.input(wire)))
    expected = [fused(net.head.weight, row, net) for row in found.features]
    np.testing.assert_array_equal(found.gaze, np.stack(expected))
