"""A core's own kernels give the portable kernels' bits: for any shape, and for values no training makes."""

import ctypes

import numpy as np
import pytest

from psog.device.identity import SIGNATURE_BYTES
from psog.firmware_export.boards import BOARDS
from psog.firmware_export.host_runtime import HostRuntime
from psog.firmware_export.image import write_image
from psog.firmware_export.image_format import HEADER, LAYER, Header, LayerEntry
from psog.firmware_export.instructions import measure
from psog.firmware_export.int4 import factor_bytes
from psog.firmware_export.packings import INT4, LAYER_PACKINGS, PAIRED, PLAIN
from psog.firmware_export.toolchain import available_boards, build_library
from tests.firmware.emulated import WITH_OWN_KERNELS
from tests.firmware_export.images import repaired
from tests.random_nets import LayerPlan, grid_headset, random_net, random_readings

pytestmark = [
    pytest.mark.skipif(not WITH_OWN_KERNELS, reason="no cross compiler or no QEMU is installed"),
    pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed"),
    pytest.mark.parametrize(
        ("board", "packing"),
        [(board, packing) for board in WITH_OWN_KERNELS for packing in BOARDS[board].target.packings],
    ),
]

NETS, NETS_OF_INT4 = 8, 3
READINGS = 300


def random_shape(rng):
    """A grid and layers of any kind that fit it; widths odd and even, below and above a block of four."""
    rows, columns = int(rng.integers(1, 7)), int(rng.integers(1, 9))
    headset = grid_headset(rows, columns)
    plan = []
    for _ in range(rng.integers(0, 4)):
        valid = rows >= 3 and columns >= 3 and rng.random() < 0.4
        plan.append(LayerPlan("conv", int(rng.integers(2, 14)), "valid" if valid else "same"))
        rows, columns = (rows - 2, columns - 2) if valid else (rows, columns)
    widths = (*rng.integers(1, 40, rng.integers(0, 2)), rng.integers(1, 65))
    return headset, (*plan, *(LayerPlan("dense", int(width)) for width in widths))


@pytest.mark.parametrize("corners", [False, True])
def test_any_shape(board, packing, corners):
    for seed in range(NETS_OF_INT4 if packing in INT4 else NETS):
        rng = np.random.default_rng((seed, corners))
        headset, plan = random_shape(rng)
        net, _ = random_net(
            *(seed, plan, headset, corners),
            pairable=packing in PAIRED,
            keep=rng.choice([0.2, 1]),
            coarse=packing in INT4,
        )
        image = write_image(net, headset, packing)
        assert_portable(board, image, random_readings(rng, net.normalisation, READINGS))


def test_any_values_that_an_image_may_hold(board, packing):
    """One layer gets values from everywhere; those around it make the smallest difference visible."""
    for seed in range(NETS_OF_INT4 if packing in INT4 else NETS):
        rng = np.random.default_rng((seed, 2))
        headset, plan = random_shape(rng)
        net, _ = random_net(
            seed, plan, headset, corners=True, pairable=packing in PAIRED, coarse=packing in INT4
        )
        image = with_test_vector(with_wild_layer(rng, write_image(net, headset, packing)))
        assert_portable(board, image, random_readings(rng, net.normalisation, READINGS))


def assert_portable(board, image, wire):
    """Equal features; and equal gaze, which lies behind them in the board's memory, so none was overrun."""
    found, host = measure(board, image, wire), HostRuntime(image)
    np.testing.assert_array_equal(found.features, host.features(wire))
    np.testing.assert_allclose(found.gaze, host.gaze(wire), atol=1e-3, rtol=1e-5)


def with_wild_layer(rng, image):
    """The image with a random layer's values replaced by any that the format allows; its CRC stays."""
    content = bytearray(image)
    header = Header._make(HEADER.unpack_from(image))
    entry_at = header.layers_at + LAYER.size * int(rng.integers(header.layers))
    entry = LayerEntry._make(LAYER.unpack_from(image, entry_at))
    plain = LAYER_PACKINGS[entry.packing] in PLAIN
    bias, multiplier, shift = wild_requantization(rng, entry.out_channels)
    put(content, entry.biases_at, bias, "<i4")
    if plain:
        put(content, entry.multipliers_at, multiplier, "<i4")
        put(content, entry.shifts_at, shift, "i1")
    else:
        rest = 2 * np.maximum(multiplier, 1 << 30) - (1 << 32)
        pairs = np.stack([rest, -np.minimum(shift, -1) - 1], axis=1)
        put(content, entry.multipliers_at, pairs, "<i4")
    if LAYER_PACKINGS[entry.packing] in INT4:
        put_wild_int4(rng, content, entry)
    elif entry.packing != LAYER_PACKINGS.index("sparse"):  # whose weights say where they belong
        put_wild_weights(rng, content, image, entry)
    low, high = np.sort(rng.integers(-128, 128, 2)).tolist() if plain and rng.random() < 0.3 else (-128, 127)
    LAYER.pack_into(content, entry_at, *entry._replace(low=low, high=high))
    return bytes(content)


def put_wild_weights(rng, content, image, entry):
    kind = "<i2" if entry.packing == LAYER_PACKINGS.index("int16") else "i1"
    weights = np.frombuffer(image[entry.weights_at : entry.biases_at], kind)
    kept = rng.random(len(weights)) < rng.choice([0.0, 0.5, 1.0])  # without weights, rounding shows alone
    lowest = kept & (weights != 0) & (rng.random(len(weights)) < 0.1)  # paired layers' padding stays 0
    put(content, entry.weights_at, np.where(lowest, -128, weights * kept), kind)


def put_wild_int4(rng, content, entry):
    """Any factors, and any halves where there are weights; padding stays 0."""
    begin = entry.weights_at + factor_bytes(entry.out_channels)
    factors = rng.integers(0, 256, entry.out_channels)
    content[entry.weights_at : entry.weights_at + entry.out_channels] = bytes(factors.astype("u1"))
    packed = np.frombuffer(bytes(content[begin : entry.biases_at]), "u1")
    used = (packed & 0xF != 0) * 0xF | (packed > 0xF) * 0xF0
    wild = np.where(rng.random(len(packed)) < 0.1, 0x88, rng.integers(0, 256, len(packed)))
    content[begin : entry.biases_at] = bytes((wild & used).astype("u1"))


def wild_requantization(rng, count):
    """Biases of every size (sums wrap), every multiplier, every shift; most bring the bias into int8."""
    bits = rng.integers(0, 33, count)
    bias = rng.integers(-(2**31), 2**31, count) >> (32 - bits)
    bias = np.where(rng.random(count) < 0.1, rng.choice([-(2**31), 2**31 - 1], count), bias)
    ends = rng.choice([0, 2**30, 2**31 - 1], count)
    multiplier = np.where(rng.random(count) < 0.25, ends, rng.integers(2**30, 2**31, count))
    fitting = np.clip(8 - bits + rng.integers(-2, 3, count), -31, 7)
    shift = np.where(rng.random(count) < 0.6, fitting, rng.integers(-31, 8, count))
    return bias, multiplier, shift


def with_test_vector(image):
    """The image with what the portable kernels make of its stored reading, its CRC and its signature."""
    header = Header._make(HEADER.unpack_from(image))
    content = bytearray(image)
    runnable = repaired(image)[:-SIGNATURE_BYTES]
    features = np.empty(header.features, np.int8)
    output = np.empty(header.outputs, np.float32)
    error = ctypes.CDLL(str(build_library())).psog_host_infer(
        runnable,
        ctypes.c_size_t(len(runnable)),
        None,
        bytes(content[header.test_vector_at :]),
        ctypes.c_size_t(1),
        features.ctypes.data_as(ctypes.c_void_p),
        output.ctypes.data_as(ctypes.c_void_p),
    )
    assert error == 0
    features_at = header.test_vector_at + round_up_4(2 * header.sensors)
    put(content, features_at, features, "i1")
    put(content, features_at + round_up_4(header.features), output, "<f4")
    return repaired(content)


def put(content, at, values, kind):
    part = np.asarray(values).astype(kind).tobytes()
    content[at : at + len(part)] = part


def round_up_4(size):
    return (size + 3) // 4 * 4
