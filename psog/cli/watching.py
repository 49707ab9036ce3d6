"""How far the live gaze of a virtual headset is from where its wearer really looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psog.errors import LinkError

if TYPE_CHECKING:
    from psog.device.client import Client
    from psog.virtual.wearer import Wearer


_PATIENCE_S = 20.0
"""An emulated board on a busy computer may stand still for seconds."""


def live_error(device: Client, wearer: Wearer, seconds: float) -> float:
    """Mean distance between streamed and true gaze over some seconds of free viewing, saccades included.

    Samples that the device marks as not valid (a blink) do not count.

    Raises:
        LinkError: no valid sample arrived.
    """
    import numpy as np

    from psog.device.messages import Stream
    from psog.device.samples import GazeSample
    from psog.metrics import angular_error

    device.stream(Stream.GAZE)
    device.drop_samples()  # of before
    samples = [
        s
        for s in device.samples(seconds=seconds, timeout_s=_PATIENCE_S)
        if isinstance(s, GazeSample) and s.valid
    ]
    device.stream(Stream(0))
    truth = wearer.truth()
    t_us = np.array([sample.t_us for sample in samples], np.int64)
    known = np.isin(t_us, truth.t_us)
    if not known.any():
        raise LinkError(f"no valid gaze arrived in {seconds:g} s; check that the virtual headset runs")
    gaze_deg = np.array([(sample.gaze_h_deg, sample.gaze_v_deg) for sample in samples])[known]
    true_deg = truth.gaze_deg[np.searchsorted(truth.t_us, t_us[known])]
    return float(angular_error(gaze_deg, true_deg).mean())
