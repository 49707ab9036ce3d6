"""What tells `psog view` and `psog recenter --check` how far the headset has moved, put together."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from psog.calibration.looks import Look
    from psog.device.client import Client
    from psog.headset import Headset
    from psog.live.shift import ShiftWatch
    from psog.net.integer import IntegerNet
    from psog.net.shift import Shift, ShiftMap

LEAST_LOOKS = 5
"""Targets of a calibration that say where the headset sat; with fewer, the beginning of the view does."""


def shift_watch(
    client: Client, model: Path | None = None, headset: Headset | None = None
) -> ShiftWatch | None:
    """A watch on the headset, which compares with the calibration where a profile in use has its readings.

    Args:
        model: folder of the model that the headset runs, if it is not the one that comes with psog.
        headset: what the model is for; by default the built-in one of that name.
    Returns:
        None where nothing is known of shifts with this model, or a headset does not say how it sees its
        sensors: one that is standardised and not calibrated.
    Raises:
        LinkError, DeviceError: the headset has gone, or refuses.
    """
    from psog.cli.installed import installed_folder
    from psog.errors import ModelError
    from psog.live.shift import ShiftWatch
    from psog.net.shift_file import load_shift_map
    from psog.net.store import load_model

    try:
        folder = installed_folder(client.info, model, headset)
        net = load_model(folder).net
        learnt = load_shift_map(folder, net)
    except ModelError:
        return None
    if learnt is None or (client.info.standardised and not client.info.calibrated):
        return None
    if client.info.standardised:
        net = replace(net, normalisation=client.read_calibration().seen_by(net.normalisation))
    return ShiftWatch(net, learnt, _surface(net, learnt, _looks(client)))


def look_around(client: Client, watch: ShiftWatch, seconds: float) -> Shift | None:
    """How far the headset has moved, from so many seconds of looking around; all streams are off afterwards.

    Returns:
        None where the eye was open for too short a time, or hardly moved.
    Raises:
        LinkError, DeviceError: the headset has gone, or refuses.
    """
    from psog.device.messages import Stream
    from psog.device.samples import GazeSample, SensorSample
    from psog.live.shift import EVERY_US

    client.drop_samples()
    client.stream(Stream.GAZE | Stream.SENSORS)
    latest = SensorSample(-1, 0, np.zeros(0, np.uint16))
    due_us = 0
    try:
        for sample in client.samples(seconds=seconds):
            if isinstance(sample, SensorSample):
                latest = sample  # its gaze comes next
            elif isinstance(sample, GazeSample) and latest.t_us == sample.t_us >= due_us and sample.valid:
                due_us = sample.t_us + EVERY_US
                gaze_deg = np.array([[sample.gaze_h_deg, sample.gaze_v_deg]])
                watch.take(latest.readings[None], gaze_deg, EVERY_US * 1e-6)
    finally:
        client.stream(Stream(0))
    return watch.shift


def _looks(client: Client) -> tuple[Look, ...]:
    from psog.calibration.profiles import active_profile, load_profile, profiles_folder

    folder = profiles_folder(os.environ)
    name = active_profile(client, folder)
    return () if name is None else load_profile(folder, name).looks


def _surface(net: IntegerNet, learnt: ShiftMap, looks: tuple[Look, ...]) -> NDArray[np.float64] | None:
    """The wearer's, where enough targets were looked at: six numbers a sensor need five, and the average."""
    from psog.net.surface import inputs_of, moments

    sensors = len(net.normalisation.offset)
    if len(looks) < LEAST_LOOKS or len(looks[0].reading) != sensors:
        return None
    wire = np.rint([look.reading for look in looks]).astype(np.uint16)
    return learnt.calibrated(moments(inputs_of(net, wire), np.array([look[:2] for look in looks])))
