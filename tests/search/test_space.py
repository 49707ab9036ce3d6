"""The space of networks: every choice is a network, and it fills its budget."""

from dataclasses import replace

import pytest

from psog.errors import ModelError
from psog.headset import load_headset
from psog.net.architecture import standard
from psog.search.loops import weights_and_products
from psog.search.space import Candidate, RandomChooser, choose, fitted, like, sized
from psog.sim.streams import stream

LIKE_THE_STANDARD = like(standard(load_headset("ring16")))


@pytest.mark.parametrize("name", ["ring16", "grid15"])
def test_every_choice_is_a_network_that_its_headset_can_have(name):
    headset = load_headset(name)
    for number in range(50):
        knobs = choose(RandomChooser(stream(1, "test", number)))
        candidate = sized(knobs, headset, 32)
        assert min(candidate.architecture.map_shape(headset.grid.shape)) >= 1
        assert candidate == Candidate.read(candidate.network, candidate.keep)


@pytest.mark.parametrize("name", ["ring16", "grid15"])
def test_the_standard_networks_are_in_the_space(name):
    headset = load_headset(name)
    usual = replace(standard(headset), embedding=16)
    assert sized(like(usual), headset, usual.dense[0]) == Candidate(usual)


def test_a_network_is_as_wide_as_its_budget_allows(ring16, model):
    found = fitted(LIKE_THE_STANDARD, ring16, model, 20_000)
    width = found.architecture.dense[0]
    assert model(found) <= 20_000 < model(sized(LIKE_THE_STANDARD, ring16, width + 4))


def test_half_a_share_is_half_a_budget(ring16, model):
    half = replace(LIKE_THE_STANDARD, share=0.5)
    assert fitted(half, ring16, model, 40_000) == fitted(LIKE_THE_STANDARD, ring16, model, 20_000)


def test_a_budget_may_be_too_small(ring16, model):
    with pytest.raises(ModelError, match="no such network has at most 500 instructions"):
        fitted(LIKE_THE_STANDARD, ring16, model, 500)


def test_weights_and_products_of_the_standard_network(ring16):
    weights, products = weights_and_products(Candidate(standard(ring16)), ring16)
    dense = 16 * 16 * 96 + 96 * 64 + 64 * 32
    assert (weights, products) == (9 * 2 * 16 + dense, 9 * 2 * 16 * 16 + dense)
