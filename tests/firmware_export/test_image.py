"""The device image is what SPEC.md says, bit by bit, and is written only for what a device can run."""

import dataclasses
import struct
import zlib

import monocypher
import numpy as np
import pytest

from psog.device.identity import model_crc32
from psog.errors import ModelError, ModelImageError
from psog.firmware_export.image import headset_name, load_image, read_image, write_image
from psog.firmware_export.keys import DEVELOPMENT_KEY
from psog.headset import load_headset
from psog.net.store import save_model
from tests.firmware_export.images import SMALL, small_image, u32
from tests.random_nets import LayerPlan, grid_headset, random_net, with_embedding


def test_the_header_is_where_the_specification_says():
    net, headset = random_net(1, SMALL, planes=1)
    data = write_image(net, headset, version=7)
    assert data[:4] == b"PSOG"
    assert struct.unpack_from("<HHII16s", data, 4) == (4, 96, len(data) - 64, 7, b"grid3x5".ljust(16, b"\0"))
    assert struct.unpack_from("<HBBBBHBbBB", data, 32) == (15, 3, 5, 3, 4, 4, 20, 0, 0, 0)
    assert struct.unpack_from("<fif", data, 64) == (
        float(net.feature_quantization.scale),
        net.feature_quantization.zero_point,
        np.float32(net.head.ridge),
    )
    assert u32(data, 76) == 3 * 5 * 1 + 3 * 5 * 2  # the first layer; the second is 30 + 9
    assert struct.unpack_from("<fffI", data, 80) == (20.0, 15.0, net.head.calibration_ln, 0)
    assert u32(data, len(data) - 68) == zlib.crc32(data[:-68]) == model_crc32(data)
    assert monocypher.signature_check(data[-64:], DEVELOPMENT_KEY.public, data[:-64])
    assert all(u32(data, at) % 4 == 0 for at in range(44, 64, 4))


def test_parts_are_where_the_header_says():
    net, headset = random_net(1, SMALL, planes=1)
    data = write_image(net, headset)
    pairs = np.frombuffer(data, "<i4", 30, u32(data, 44)).reshape(15, 2)
    np.testing.assert_array_equal(pairs[:, 0], net.normalisation.offset)
    np.testing.assert_array_equal(pairs[:, 1], net.normalisation.multiplier)
    np.testing.assert_array_equal(np.frombuffer(data, "u1", 15, u32(data, 48)), headset.grid.ravel())
    np.testing.assert_array_equal(
        np.frombuffer(data, "<f4", 20, u32(data, 56)).reshape(4, 5), net.head.weight
    )
    vector_at = u32(data, 60)
    reading = np.frombuffer(data, "<u2", 15, vector_at)
    features = np.frombuffer(data, "i1", 4, vector_at + 32)
    np.testing.assert_array_equal(net.features(net.input(reading[None]))[0], features)
    np.testing.assert_array_equal(
        np.frombuffer(data, "<f4", 4, vector_at + 36), net.apply_head(features[None])[0]
    )


@pytest.mark.parametrize("index", range(len(SMALL)))
def test_layers_are_as_the_specification_says(index):
    net, headset = random_net(1, SMALL, planes=1)
    data = write_image(net, headset)
    layer, shape = net.layers[index], net.layer_shapes()[index]
    at = u32(data, 52) + 36 * index
    kind, padding, *source, out = struct.unpack_from("<BBBBHH", data, at)
    assert (kind, padding) == (int(layer.kind == "dense"), int(layer.padding == "same"))
    assert (*source, out) == (*shape, layer.out_channels)
    assert struct.unpack_from("<bbbb", data, at + 8) == (
        layer.input.zero_point,
        layer.output.zero_point,
        *layer.activation_range,
    )
    weights = np.frombuffer(data, "i1", layer.weight.size, u32(data, at + 12))
    np.testing.assert_array_equal(weights, layer.weight.ravel())
    np.testing.assert_array_equal(np.frombuffer(data, "<i4", out, u32(data, at + 16)), layer.bias)
    multiplier, shift = layer.requantization()
    np.testing.assert_array_equal(np.frombuffer(data, "<i4", out, u32(data, at + 20)), multiplier)
    np.testing.assert_array_equal(np.frombuffer(data, "i1", out, u32(data, at + 24)), shift)
    zero_share = -layer.input.zero_point * layer.weight.reshape(out, -1).sum(axis=1, dtype=int)
    np.testing.assert_array_equal(np.frombuffer(data, "<i4", out, u32(data, at + 28)), zero_share)
    assert u32(data, at + 32) == 0


def test_writing_is_deterministic_and_reading_keeps_everything():
    net, headset = random_net(4, "mixed", corners=True)
    data = write_image(net, headset)
    assert data == write_image(*random_net(4, "mixed", corners=True))
    image = read_image(data)
    assert (image.headset, image.field_deg) == (headset.name, headset.field_deg)
    assert image.head.ridge == np.float32(net.head.ridge)
    assert image.feature_quantization == net.feature_quantization
    np.testing.assert_array_equal(image.layout, net.layout)
    assert headset_name(data) == headset.name


def test_an_image_of_another_headset_is_not_written():
    net, _ = random_net(1)
    with pytest.raises(ModelError, match="for headset 'grid3x5', given 'ring16'"):
        write_image(net, load_headset("ring16"))
    moved = grid_headset(3, 5).model_copy(update={"layout": grid_headset(5, 3).layout})
    with pytest.raises(ModelError, match="layout of headset 'grid3x5' has changed"):
        write_image(net, moved)


def test_a_user_embedding_is_where_the_header_says():
    net, headset = random_net(1, SMALL, planes=1)
    net = with_embedding(net, 1, 4)
    data = write_image(net, headset)
    assert tuple(data[42:44]) == (4, 3)
    at, found = u32(data, 92), net.embedding.device(net)
    assert at % 4 == 0
    floats = np.frombuffer(data, "<f4", 4 + 4 * 3 * 15 + 9, at)
    np.testing.assert_array_equal(floats[:4], net.embedding.bias)
    by_sensor = floats[4:-9].reshape(15, 3, 4)
    np.testing.assert_array_equal(by_sensor, found.weight)
    mean_of_sensor_7 = net.embedding.weight[:, 7] * net.input_quantization.scale
    np.testing.assert_array_equal(by_sensor[7, 0], mean_of_sensor_7)
    shifts = np.frombuffer(data, "i1", 9 * 4, at + 4 * len(floats)).reshape(9, 4)
    np.testing.assert_array_equal(floats[-9:], np.concatenate(found.scales))
    np.testing.assert_array_equal(shifts, np.concatenate(found.shifts))
    assert np.abs(shifts).max(axis=1).tolist() == [127] * 9
    again = read_image(data).embedding
    np.testing.assert_array_equal(again.weight, found.weight)
    np.testing.assert_array_equal(np.concatenate(again.shifts), shifts)


def test_a_model_costs_no_more_for_an_embedding_that_it_has_not():
    net, headset = random_net(1, SMALL)
    numbers, outputs = 4, 2 + 3 + 4
    larger = len(write_image(with_embedding(net, 1, numbers), headset)) - len(write_image(net, headset))
    assert larger == 4 * (numbers + numbers * 3 * 15 + outputs) + numbers * outputs


def with_last_layer(**changes):
    """A random network with its last layer changed, and its headset."""
    net, headset = random_net(1)
    last = dataclasses.replace(net.layers[-1], **changes)
    return dataclasses.replace(net, layers=(*net.layers[:-1], last)), headset


def with_endless_head():
    net, headset = random_net(1)
    head = dataclasses.replace(net.head, weight=np.full_like(net.head.weight, np.inf))
    return dataclasses.replace(net, head=head), headset


TOO_MUCH = {
    "9 layers": lambda: random_net(1, (LayerPlan("dense", 4),) * 9),
    "65 features": lambda: random_net(1, (LayerPlan("dense", 65),)),
    "bytes of activations": lambda: random_net(1, (LayerPlan("conv", 1100, "same"), LayerPlan("dense", 2))),
    "17 grid rows": lambda: random_net(1, "single", grid_headset(17, 3)),
    "last layer is a convolution": lambda: random_net(1, (LayerPlan("conv", 4, "same"),)),
    "can overflow 32 bits": lambda: with_last_layer(bias=np.full(10, 2**31 - 1, np.int32)),
    r"scales its sums by .* to 2\^1[0-9]": lambda: with_last_layer(weight_scale=np.array([3e4], np.float32)),
    "not finite": with_endless_head,
}


@pytest.mark.parametrize("complaint", TOO_MUCH)
def test_what_no_device_could_run_is_not_written(complaint):
    with pytest.raises(ModelError, match=complaint):
        write_image(*TOO_MUCH[complaint]())


def test_an_image_comes_from_a_file_or_a_model_folder(tmp_path):
    net, headset = random_net(1, headset=load_headset("grid15"))
    data = write_image(net, headset)
    (tmp_path / "gaze.psog").write_bytes(data)
    save_model(tmp_path / "model", net, {})
    assert load_image(tmp_path / "gaze.psog") == load_image(tmp_path / "model") == data


def test_a_file_that_is_no_image_is_named(tmp_path):
    (tmp_path / "broken.psog").write_bytes(small_image()[:-8])
    with pytest.raises(ModelImageError, match=r"broken\.psog.*its header says"):
        load_image(tmp_path / "broken.psog")
    with pytest.raises(ModelImageError, match=r"none\.psog.*No such file"):
        load_image(tmp_path / "none.psog")
