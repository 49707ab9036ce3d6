"""The runtime with a trained model: what random networks cannot show."""

import numpy as np

from psog.firmware_export.host_runtime import HostRuntime
from psog.firmware_export.image import write_image
from psog.headset import load_headset
from psog.net.ridge import solve_head
from psog.net.store import load_model
from psog.sim.episodes import make_episodes


def test_single_precision_costs_a_calibration_nothing(tiny_model):
    """On trained features the device's float32 solve gives the gaze of the float64 one."""
    headset = load_headset("ring16")
    net = load_model(tiny_model).net
    runtime = HostRuntime(write_image(net, headset))
    episodes = make_episodes(headset, users=4, poses=1, seed=3)
    for user in range(4):
        features = runtime.features(headset.to_wire(episodes.readings[user, 0]))
        target_deg = np.clip(episodes.gaze_deg[user, 0], *np.outer((-1, 1), headset.field_deg))
        fit = runtime.fit_head(features, target_deg)
        real = net.real_features(features)
        weight = solve_head(real, target_deg, net.head.weight, net.head.ridge)
        difference = (real @ fit.weight[:2, :-1].T + fit.weight[:2, -1]) - (
            real @ weight[:, :-1].T + weight[:, -1]
        )
        assert np.abs(difference).max() < 1e-3  # found 5e-5
