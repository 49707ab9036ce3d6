"""Whose light counts in which reading."""

import numpy as np
import pytest

from psog.headset import load_headset
from psog.sim.crosstalk import emitter_mixing
from tests.sim.driven import altered

RING = load_headset("ring16")


def test_ideal_time_multiplexing_leaves_each_sensor_its_own_light():
    np.testing.assert_array_equal(emitter_mixing(RING), np.eye(16))


def test_without_multiplexing_every_emitter_counts_everywhere():
    found = emitter_mixing(altered(RING, drive={"multiplexing": "none", "crosstalk": 0.1}))
    np.testing.assert_array_equal(found, np.ones((16, 16)))


def test_crosstalk_is_the_share_of_either_neighbouring_slot():
    found = emitter_mixing(altered(RING, drive={"crosstalk": 0.01}))
    assert found.sum(axis=1) == pytest.approx(1.02)
    assert found[5, [4, 5, 6]].tolist() == [0.01, 1.0, 0.01]
    assert found[0, [15, 0, 1]].tolist() == [0.01, 1.0, 0.01]  # slots go round


def test_a_single_sensor_has_no_neighbour():
    one = altered(RING, drive={"crosstalk": 0.1}).model_copy(update={"sensors": RING.sensors[:1]})
    np.testing.assert_array_equal(emitter_mixing(one), [[1.0]])
