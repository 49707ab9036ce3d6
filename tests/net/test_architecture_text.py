"""A network in one word, as `psog search` prints it and `psog train --network` takes it."""

import pytest

from psog.errors import ModelError
from psog.headset import load_headset
from psog.net.architecture import Architecture, Convolution, deep, mlp, standard
from psog.net.architecture_text import network_for, read_architecture, written

RING16, GRID15 = load_headset("ring16"), load_headset("grid15")


@pytest.mark.parametrize("make", [standard, mlp, deep])
@pytest.mark.parametrize("headset", [RING16, GRID15], ids=lambda headset: headset.name)
def test_a_written_architecture_is_read_again(make, headset):
    architecture = make(headset)
    assert read_architecture(written(architecture)) == architecture


def test_layers_come_from_the_first_on():
    read = read_architecture("conv16-conv8same-dense96-dense64-features24-planes1")
    convolutions = (Convolution(16, "valid"), Convolution(8, "same"))
    assert read == Architecture(convolutions, (96, 64), 24, planes=1)


def test_features_and_planes_may_be_left_out():
    assert read_architecture("dense40") == Architecture((), (40,), 32, planes=2)


@pytest.mark.parametrize(
    ("name", "make"), [("cnn", standard), ("mlp", mlp), ("deep", deep)], ids=("cnn", "mlp", "deep")
)
def test_names_stand_for_what_they_did(name, make):
    assert network_for(name, RING16) == make(RING16)


@pytest.mark.parametrize(
    "text",
    [
        *("", "cnm", "conv", "conv0", "dense8-conv8", "dense8same", "planes2-features8"),
        *("features8-features8", "conv8--dense8", "dense8 ", "conv16-dense99999"),
    ],
)
def test_what_is_no_network_is_told_in_one_line(text):
    with pytest.raises(ModelError, match=r"no network .* expected cnn, mlp, deep, or its layers") as told:
        read_architecture(text)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [("dense8-features8-planes3", "3 input planes"), ("features65", "65 features")],
)
def test_networks_that_cannot_be_are_refused(text, told):
    with pytest.raises(ModelError, match=told):
        read_architecture(text)


def test_a_grid_may_be_too_small():
    with pytest.raises(ModelError, match="too small for 2 convolutions"):
        network_for("conv8-conv8-dense8", GRID15)
