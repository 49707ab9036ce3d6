"""A live calibration of a network that is told whose eye it sees."""

from dataclasses import replace

import numpy as np

from psog.calibration.guide import run_session
from psog.calibration.session import Settings
from psog.calibration.targets import plan_targets
from psog.device.client import open_headset
from psog.firmware_export.image_writer import write_image
from psog.headset import load_headset
from psog.net.embedding import personal
from psog.net.ridge import solve_head
from psog.virtual.headset import VirtualHeadset
from tests.calibration.steady import SteadyEye
from tests.net.conftest import toy_counts

HEADSET = load_headset("ring16")
WHOLE = plan_targets(9, (15.0, 15.0), seed=0)
PLAN = replace(WHOLE, validation=WHOLE.validation[:5])
SPEED = 8.0  # device seconds per second: nothing here depends on the host's clock


class ToyEye(SteadyEye):
    """The toy that the network was trained on; its readings are those of another place, `offset_deg` away."""

    def __init__(self, offset_deg):
        self._offset_deg = np.array(offset_deg)
        super().__init__(HEADSET)

    def _read(self, place, openness):
        counts = toy_counts(HEADSET.sensor_count, np.array(place) + self._offset_deg)
        return HEADSET.to_wire(counts if openness > 0.5 else np.full_like(counts, 2900))


def calibrated_deg(net, offset_deg, flash):
    """Accuracy on targets that the calibration has not seen."""
    eye = ToyEye(offset_deg)
    with (
        VirtualHeadset("host", eye, image=write_image(net, HEADSET), flash=flash, speed=SPEED) as virtual,
        open_headset(virtual.port) as client,
    ):
        report = run_session(client, PLAN, Settings(readings=60), lambda judged: True, lambda event: None)
    assert report.after.accuracy_deg < report.before.accuracy_deg
    return report.after.accuracy_deg


def by_hand_deg(net, offset_deg):
    """The same by the host's arithmetic."""
    at = np.repeat([(target.h_deg, target.v_deg) for target in PLAN.calibration], 4, axis=0)
    seen = np.array([(target.h_deg, target.v_deg) for target in PLAN.validation])
    eye = ToyEye(offset_deg)
    wire = np.stack([eye.reading_at(*place) for place in at])
    own = personal(net, wire, at)
    real = own.real_features(own.features(own.input(wire)))
    weight = solve_head(real, at, net.head.weight, net.head.ridge).astype(np.float32)
    own = replace(own, head=replace(own.head, weight=weight))
    gaze_deg = own(np.stack([eye.reading_at(*place) for place in seen]))
    return np.linalg.norm(gaze_deg - seen, axis=1).mean()


def test_told_biases_bring_wearers_nearer_than_a_head_alone(told_toy, tmp_path):
    """The same weights with telling and without: ten wearers by hand, and live the one it helps most.

    Deterministic: these eyes neither blink nor wander.
    """
    net, _ = told_toy
    alone = replace(net, embedding=None)
    offsets_deg = [np.random.default_rng(wearer).normal(0, 4, 2) for wearer in range(10)]
    expected = np.array([(by_hand_deg(net, at), by_hand_deg(alone, at)) for at in offsets_deg])
    assert expected[:, 0].mean() < expected[:, 1].mean()
    most = int(np.argmin(expected[:, 0] - expected[:, 1]))
    told_deg = calibrated_deg(net, offsets_deg[most], tmp_path / "told")
    alone_deg = calibrated_deg(alone, offsets_deg[most], tmp_path / "alone")
    np.testing.assert_allclose((told_deg, alone_deg), expected[most], atol=0.01)
    assert told_deg < 0.9 * alone_deg
