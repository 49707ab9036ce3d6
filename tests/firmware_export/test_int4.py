"""Dense layers with two weights in a byte: the same features, fewer bytes, only where four bits hold them."""

import numpy as np
import pytest

from psog.errors import ModelError
from psog.firmware_export.agreement import compare_runtimes
from psog.firmware_export.image import read_image, write_image
from psog.firmware_export.image_format import packing_of
from psog.firmware_export.image_writer import repacked
from psog.firmware_export.installing import image_for, possible_packings
from psog.firmware_export.keys import DEVELOPMENT_KEY
from psog.firmware_export.packing import layer_packings
from psog.firmware_export.packings import INT4, PAIRED, PLAIN
from tests.firmware_export.images import changed, u32
from tests.random_nets import LayerPlan, random_net, random_readings

PLAN = (LayerPlan("conv", 4, "same"), LayerPlan("dense", 11), LayerPlan("dense", 3))


def networks(**how):
    return random_net(2, PLAN, pairable=True, **how)


@pytest.mark.parametrize("packing", INT4)
def test_an_image_gives_back_the_network(packing):
    net, headset = networks(coarse=True)
    image = write_image(net, headset, packing)
    read = read_image(image)
    assert read.packing == packing
    for layer, expected in zip(read.layers, net.layers, strict=True):
        np.testing.assert_array_equal(layer.weight, expected.weight)
    eight = {"int4": "int8", "plain4": "plain"}[packing]
    assert len(image) < len(write_image(net, headset, eight))
    assert repacked(repacked(image, eight, DEVELOPMENT_KEY), packing, DEVELOPMENT_KEY) == image


def test_a_layer_of_few_inputs_or_of_other_weights_has_eight_bits():
    net, _ = networks(coarse=True)
    packings = [layer_packings([layer.device() for layer in net.layers], packing) for packing in INT4]
    assert packings == [["int16", "int4", "int8"], ["plain", "plain4", "plain"]]
    other, _ = networks(coarse=False)
    assert "int4" not in layer_packings([layer.device() for layer in other.layers], "int4")


def test_every_runtime_gives_the_same_features():
    net, headset = networks(coarse=True)
    found = compare_runtimes(net, headset, random_readings(np.random.default_rng(1), net.normalisation, 200))
    assert found.tflite_micro in (None, 200) and found.c_runtime in (None, 200)


def test_who_wanted_a_small_image_gets_one_on_either_kind_of_core():
    net, headset = networks(coarse=True)
    small = write_image(net, headset, "plain4")
    assert packing_of(image_for(small, PAIRED)) == "int4"
    assert packing_of(image_for(write_image(net, headset), PAIRED)) == "int16"
    room = len(write_image(net, headset, "int8")) - 1
    assert packing_of(image_for(write_image(net, headset), PAIRED, room)) == "int4"
    assert image_for(small, PLAIN) == small


def test_what_four_bits_do_not_hold_is_not_packed_so():
    image = write_image(*networks(coarse=False))
    assert possible_packings(image, PAIRED) == ["int16", "int8"]
    with pytest.raises(ModelError, match="no dense layer has weights of four bits"):
        image_for(image, ["int4"])


@pytest.mark.parametrize("packing", INT4)
def test_a_convolution_is_not_read_as_int4(packing):
    image = write_image(*networks(coarse=True), packing)
    code = {"int4": 4, "plain4": 5}[packing]
    with pytest.raises(ModelError, match="layer 0 is a convolution, and packed as int4"):
        read_image(changed(image, u32(image, 52) + 32, code, "<I"))


@pytest.mark.parametrize("packing", INT4)
def test_a_factor_that_brings_a_weight_beyond_int8_is_refused(packing):
    image = write_image(*networks(coarse=True), packing)
    weights_at = u32(image, u32(image, 52) + 36 + 12)
    with pytest.raises(ModelError, match="layer 1 has weights beyond int8"):
        read_image(changed(image, weights_at, 255))
