"""A wearer whose every reading can be predicted: for tests that compare device and host to the digit."""

import threading
from dataclasses import replace

import numpy as np

from psog.headset import Headset
from psog.net.integer import IntegerNet
from psog.sim.live import LiveEye
from psog.sim.population import draw_users
from psog.virtual.source import Readings, Target

Place = tuple[float, float]


class SteadyEye:
    """Jumps to a target as it appears and then gives one and the same reading until the next one.

    Set `closed` from any thread to close the eye: it then gives `closed_reading`. `hidden` is set while the
    display shows nothing.
    """

    def __init__(self, headset: Headset, seed: int = 1000) -> None:
        self._headset = headset
        self._eye = LiveEye(headset, draw_users(1, seed), 0, seed)
        self._eye.don(2.0)
        self._readings: dict[Place, np.ndarray] = {}
        self.closed_reading = self._read((0.0, 0.0), openness=0.0)
        self._place: Place = (0.0, 0.0)
        self._taken = 0
        self._lock = threading.Lock()
        self.closed = threading.Event()
        self.hidden = threading.Event()
        self.hidden.set()

    def reading_at(self, h_deg: float, v_deg: float) -> np.ndarray:
        """(sensors,) uint16 that this eye gives on a target."""
        place = (round(h_deg, 3), round(v_deg, 3))  # targets come back from the wire as 32-bit floats
        with self._lock:
            if place not in self._readings:
                self._readings[place] = self._read(place, openness=1.0)
            return self._readings[place]

    def take(self, elapsed_us: int) -> Readings:
        due = int(np.ceil(elapsed_us * self._headset.rate_hz / 1e6))
        index = np.arange(self._taken, max(due, self._taken))
        self._taken += len(index)
        wire = self.closed_reading if self.closed.is_set() else self.reading_at(*self._place)
        t_us = np.rint(index * 1e6 / self._headset.rate_hz).astype(np.int64)
        return Readings(t_us, np.tile(wire, (len(index), 1)))

    def show(self, target: Target | None) -> None:
        if target is None:
            self.hidden.set()
        else:
            self.hidden.clear()
            self._place = (target.h_deg, target.v_deg)

    def _read(self, place: Place, openness: float) -> np.ndarray:
        return self._headset.to_wire(self._eye.read(np.array([place]), np.array([openness]))[0])


def that_knows_when_it_is_closed(net: IntegerNet, eye: SteadyEye, places: list[Place]) -> IntegerNet:
    """The network with an openness row fitted to this eye: 1 at the places, 0 closed.

    A network trained for seconds gives gaze enough to test with, but hardly tells a closed eye.
    """
    wire = np.stack([*(eye.reading_at(*place) for place in places), eye.closed_reading])
    wanted = np.array([1.0] * len(places) + [0.0])
    features = net.real_features(net.features(net.input(wire))).astype(np.float64)
    rows = np.c_[features, np.ones(len(features))]
    weight = net.head.weight.copy()
    weight[2] = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    return replace(net, head=replace(net.head, weight=weight))
