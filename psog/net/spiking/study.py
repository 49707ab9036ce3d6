"""Gaze by spikes on users a network has never seen, beside the same network in int8 on the same readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.headset import Headset
from psog.metrics import angular_error
from psog.net.calibrated import calibrated, int8_features
from psog.net.embedding import personal
from psog.net.evaluation import noisy_wire
from psog.net.integer import IntegerNet
from psog.net.ridge import GAZE_OUTPUTS, solve_head
from psog.net.spiking.conversion import SpikingConfig, activation_scales, convert
from psog.net.spiking.energy import (
    Operations,
    network_operations,
    network_operations_without_zeros,
    spiking_operations,
)


@dataclass(frozen=True)
class Wearers:
    """Users who calibrate and then look around, as the device reads them; everybody's eyes are open.

    Attributes:
        wire: (users, poses, n, sensors) readings; pose 0 is the calibration.
        gaze_deg: (users, poses, n, 2); in pose 0 the targets.
    """

    wire: NDArray[np.uint16]
    gaze_deg: NDArray[np.float64]

    @classmethod
    def of(cls, episodes: Episodes, headset: Headset, seed: int) -> Wearers:
        """The users of test episodes, with noise drawn from `seed`."""
        return cls(noisy_wire(episodes, headset, seed), episodes.gaze_deg.astype(np.float64))

    def scales(self, net: IntegerNet) -> NDArray[np.float64]:
        """(hidden layers,) percentiles of a network's activations on them (psog.net.spiking.conversion)."""
        return activation_scales(net, self.wire, self.gaze_deg[:, 0])


@dataclass(frozen=True)
class Outcome:
    """What came of a network on some wearers.

    Attributes:
        error_deg: (users, poses - 1) means over a user's readings after the calibration.
        operations: of an inference, a mean over all readings.
    """

    error_deg: NDArray[np.float64]
    operations: Operations


@dataclass(frozen=True)
class Int8Outcome(Outcome):
    """The same of the int8 network.

    Attributes:
        without_zeros: operations where multiplications by zero are left out.
    """

    without_zeros: Operations


def by_spikes(
    net: IntegerNet,
    scales: NDArray[np.floating],
    config: SpikingConfig,
    wearers: Wearers,
    timesteps: Sequence[int],
) -> list[Outcome]:
    """The spiking form after each of several numbers of steps.

    Every user's network is told whose eye it sees and then converted; the user's head is solved on features
    of spikes, as on a device that has no others.

    Args:
        scales: as of `Wearers.scales`, of other users.
        config: of which the steps do not count.
        timesteps: rising.
    """
    prior = net.head.weight[:GAZE_OUTPUTS].astype(np.float64)
    errors, observed = [], []
    for wire, gaze_deg in zip(wearers.wire, wearers.gaze_deg, strict=True):
        own = personal(net, wire[0], gaze_deg[0])
        spiking = convert(own, scales, config)
        observed.append(spiking.run(own.input(wire.reshape(-1, wire.shape[-1])), timesteps))
        of_user = []
        for features in observed[-1].features:
            in_poses = features.reshape(*wire.shape[:2], -1)
            head = solve_head(in_poses[0], gaze_deg[0], prior, net.head.ridge)
            found_deg = in_poses[1:] @ head[:, :-1].T + head[:, -1]
            of_user.append(angular_error(found_deg, gaze_deg[1:]).mean(axis=1))
        errors.append(of_user)
    readings = wearers.wire[..., 0].size
    operations = spiking_operations(spiking, observed, readings, config.weight_bits)
    return [Outcome(*each) for each in zip(np.swapaxes(errors, 0, 1), operations, strict=True)]


def by_int8(net: IntegerNet, wearers: Wearers) -> Int8Outcome:
    """The network as a device runs it."""
    errors, without_zeros = [], []
    for wire, gaze_deg in zip(wearers.wire, wearers.gaze_deg, strict=True):
        user = calibrated(net, int8_features, wire[0], gaze_deg[0])
        found_deg = np.array([user(pose) for pose in wire[1:]])
        errors.append(angular_error(found_deg, gaze_deg[1:]).mean(axis=1))
        own = personal(net, wire[0], gaze_deg[0])
        shape = convert(own, np.ones(len(net.layers) - 1), SpikingConfig(timesteps=1))
        x = own.input(wire.reshape(-1, wire.shape[-1]))
        without_zeros.append(network_operations_without_zeros(own, shape, x).macs)
    return Int8Outcome(np.array(errors), network_operations(shape), Operations(float(np.mean(without_zeros))))
