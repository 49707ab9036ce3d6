"""Activations of 16 bits: the float network to within their own rounding."""

import numpy as np

from psog.net.calibrated import float_features, int8_features
from psog.net.int16 import fine_inputs, int16_features
from tests.net.conftest import toy_episodes


def test_sixteen_bits_are_closer_to_float_than_eight(trained, ring16):
    net, _ = trained
    wire = ring16.to_wire(toy_episodes("ring16", 20, 7).readings.reshape(-1, ring16.sensor_count))
    exact, by_16, by_8 = (form(net)(wire) for form in (float_features, int16_features, int8_features))
    # the 90th percentile: of features beyond the ranges that training has seen, both clip as much
    away = [np.quantile(np.abs(found - exact), 0.9) for found in (by_16, by_8)]
    assert away[0] < away[1] / 10


def test_their_inputs_are_those_of_eight_bits_with_more_behind(trained, ring16):
    net, _ = trained
    wire = ring16.to_wire(toy_episodes("ring16", 20, 8).readings.reshape(-1, ring16.sensor_count))
    coarse = net.normalisation(wire).astype(float)
    fine = fine_inputs(net.normalisation, wire) / 256
    inside = (np.abs(coarse) < 127).all(axis=-1)
    assert inside.mean() > 0.5
    assert np.abs(fine - coarse)[inside].max() <= 0.5 + 1 / 256
