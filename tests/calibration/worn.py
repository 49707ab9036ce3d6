"""A virtual headset on a steady eye, and what sessions with it share."""

import contextlib
from dataclasses import replace
from pathlib import Path

from psog.calibration.guide import run_session
from psog.calibration.session import Settings
from psog.calibration.targets import Target, plan_targets
from psog.device.client import Client, open_headset
from psog.device.messages import Stream
from psog.device.samples import GazeSample
from psog.headset import load_headset
from psog.virtual.headset import VirtualHeadset
from tests.calibration.steady import SteadyEye

HEADSET = load_headset("ring16")
SETTINGS = Settings(readings=60)
FULL_PLAN = plan_targets(13, HEADSET.field_deg, seed=0)
PLAN = replace(plan_targets(9, HEADSET.field_deg, seed=0), validation=FULL_PLAN.validation[:2])
SPEED = 8.0  # device seconds per second: nothing here depends on the host's clock


@contextlib.contextmanager
def worn_by(eye: SteadyEye, image: bytes | None, flash: Path):
    """A client of a virtual headset on the host board."""
    with (
        VirtualHeadset("host", eye, image=image, flash=flash, speed=SPEED) as virtual,
        open_headset(virtual.port) as client,
    ):
        yield client


def calibrate(client: Client, *, accept: bool, plan=PLAN, observer=lambda event: None):
    return run_session(client, plan, SETTINGS, lambda judged: accept, observer)


def gaze_at(client: Client, place: Target = FULL_PLAN.validation[-1]) -> tuple[float, float, bool]:
    """What the head in use makes of the one reading that the eye gives there, and whose head it is."""
    client.stream(Stream.GAZE)
    client.show_target(place.h_deg, place.v_deg)
    client.drop_samples()
    *_, last = client.samples(seconds=0.5)
    client.stream(Stream(0))
    client.hide_target()
    assert isinstance(last, GazeSample)
    return last.gaze_h_deg, last.gaze_v_deg, last.calibrated
