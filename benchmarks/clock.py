"""`psog bench clock`: how far host times of readings are off, on a link with jitter and a virtual headset."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psog.errors import LinkError, PsogError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from psog.virtual.source import Readings, Target

_WAYS = (
    ("uniform", "uniform"),
    ("exponential", "exponential"),
    ("half-normal", "half-normal"),
    ("none", "exponential"),
)
BAR_MS = 0.5
_NEARBY_TAKES = 25  # 0.1 s before and after
_PATIENCE_S = 20.0
_STALL_S = 0.05


@dataclass(frozen=True)
class Command:
    """Host times of readings at ±100 ppm of drift and 10 ms of jitter each way (simulated, after a second);
    and of a virtual headset on this computer, whose readings come as late as the computer is busy.

    Exits with 1 when the 99th percentile of a simulated link is above 0.5 ms.
    """

    seconds: float = 300.0
    """How long each simulated link runs."""
    runs: int = 4
    """Links of each kind, drifting 100 ppm to one side and the other in turn."""
    seed: int = 0
    """Of the first one; the others follow."""
    virtual_seconds: float = 30.0
    """How long the virtual headset runs; 0 leaves it out."""
    json: bool = False
    """Print {"links": {WAYS: {"p50_ms", "p99_ms", "most_ms", "mean_ms"}}, "virtual": {…} or null} as one
    document; of the virtual headset also "stalls", how often its sensors' clock stood still."""

    def run(self) -> None:
        if self.seconds < 1 or self.runs < 1 or self.virtual_seconds < 0:
            raise PsogError("--seconds and --runs are at least 1, --virtual-seconds at least 0")
        links = {" there, ".join(ways) + " back": self._link(*ways) for ways in _WAYS}
        virtual = virtual_errors(self.virtual_seconds) if self.virtual_seconds else None
        if self.json:
            print(json.dumps({"seed": self.seed, "links": links, "virtual": virtual}))
        else:
            for name, found in (links | ({"virtual headset": virtual} if virtual else {})).items():
                print(f"{name:<38}" + "".join(f"  {key} {value:.3f}" for key, value in found.items()))
        worst_ms = max(found["p99_ms"] for found in links.values())
        if worst_ms > BAR_MS:
            raise LinkError(f"host times are {worst_ms:.2f} ms off at p99; expected at most {BAR_MS} ms")

    def _link(self, to_device: Any, to_host: Any) -> dict[str, float]:
        import numpy as np

        from psog.benchmarks.clock_link import JitteryLink

        errors = []
        for run in range(self.runs):
            drift = (100e-6, -100e-6)[run % 2]
            link = JitteryLink(to_device, to_host, drift=drift)
            errors.append(link.errors_s(self.seconds, self.seed + run)[0])
        return _summary(np.concatenate(errors))


def virtual_errors(seconds: float) -> dict[str, float]:
    """Host times of a virtual headset's readings against when its sensors' clock showed theirs.

    Raises:
        LinkError: the headset falls silent.
    """
    from pathlib import Path

    import numpy as np

    from psog.device.client import open_headset
    from psog.device.messages import Stream
    from psog.firmware_export.image_file import load_image
    from psog.headset import load_headset
    from psog.virtual.headset import VirtualHeadset

    source = _Watched(len(load_headset("ring16").sensors))
    with (
        VirtualHeadset("host", source, image=load_image(Path("ring16"))) as virtual,
        open_headset(virtual.port) as device,
    ):
        device.stream(Stream.GAZE)
        device.keep_time()
        times = [
            (sample.t_us, device.host_time_s(sample.t_us))
            for sample in device.samples(seconds=seconds, timeout_s=_PATIENCE_S)
        ]
    known = np.array([(t_us * 1e-6, host_s) for t_us, host_s in times if host_s is not None])
    return _summary(known[:, 1] - source.host_s(known[:, 0])) | {"stalls": source.stalls()}


class _Watched:
    """A thousand readings a second that cost little, and when they were asked for."""

    def __init__(self, sensors: int) -> None:
        self._sensors = sensors
        self._given = 0
        self._taken: list[tuple[float, float]] = []

    def take(self, elapsed_us: int) -> Readings:
        import numpy as np

        from psog.virtual.source import Readings

        self._taken.append((elapsed_us * 1e-6, time.monotonic()))
        t_us = np.arange(self._given, elapsed_us // 1000 + 1, dtype=np.int64) * 1000
        self._given += len(t_us)
        return Readings(t_us, np.full((len(t_us), self._sensors), 20_000, np.uint16))

    def show(self, target: Target | None) -> None:
        """Nobody looks."""

    def stalls(self) -> int:
        """How often the computer was so busy that the sensors' clock stood still (see Feeder)."""
        import numpy as np

        asked = np.array(self._taken)
        return int((np.diff(asked[:, 1] - asked[:, 0]) > _STALL_S).sum())

    def host_s(self, device_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """When the sensors' clock showed these times: whoever asks for readings can only be late."""
        import numpy as np

        asked = np.array(self._taken)
        behind = np.pad(asked[:, 1] - asked[:, 0], _NEARBY_TAKES, mode="edge")
        nearby = np.lib.stride_tricks.sliding_window_view(behind, 2 * _NEARBY_TAKES + 1)
        offset_s: NDArray[np.float64] = np.interp(device_s, asked[:, 0], nearby.min(axis=1))
        return device_s + offset_s


def _summary(errors_s: NDArray[np.float64]) -> dict[str, float]:
    import numpy as np

    size_ms = np.abs(errors_s) * 1e3
    p50, p99, most = np.percentile(size_ms, (50, 99, 100))
    return {
        "p50_ms": round(float(p50), 4),
        "p99_ms": round(float(p99), 4),
        "most_ms": round(float(most), 4),
        "mean_ms": round(float(errors_s.mean() * 1e3), 4),
    }
