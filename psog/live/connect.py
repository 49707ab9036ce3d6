"""`psog.connect()`: live gaze in a Python program."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Any, TypeVar

from psog.device.answers import DeviceInfo
from psog.device.finding import only_headset, virtual_ports
from psog.device.losses import Losses
from psog.device.messages import Stream
from psog.device.reconnecting import Back, Gone, ReconnectingHeadset
from psog.device.samples import GazeSample, SensorSample, sample_of
from psog.errors import DeviceError, LinkError
from psog.live.batch import EVERY_S, Batch, batches

PATIENCE_S = 60.0
"""How long a headset that has gone is waited for, unless told otherwise (a weak value)."""

OnChange = Callable[[Gone | Back], None]
Item = TypeVar("Item")


def connect(
    port: str | None = None,
    *,
    reconnect: bool = True,
    patience_s: float = PATIENCE_S,
    on_change: OnChange | None = None,
    timeout_s: float = 1.0,
) -> LiveHeadset:
    """Open a headset: `with psog.connect() as headset: for sample in headset.gaze(): …`

    Args:
        port: its serial port; not needed where just one is connected, real or virtual (psog devices).
        reconnect: wait for a headset that was unplugged, and go on. What it read meanwhile is missing.
        patience_s: for how long.
        on_change: told Gone (`why`, `host_time_s`) and Back (`away_s`), in the thread that fetches.
        timeout_s: how long one answer may take before a command is repeated (three tries).
    Raises:
        LinkError: there is no headset, or more than one; the port cannot be opened, another program has it
            open, or nothing there answers as a headset.
        ProtocolError: it speaks another protocol version.
    """
    found = port if port is not None else only_headset(os.environ, "port=…").port
    headset = ReconnectingHeadset(
        found,
        timeout_s=timeout_s,
        patience_s=patience_s,
        virtual=lambda: virtual_ports(os.environ),
    )
    return LiveHeadset(headset, reconnect=reconnect, on_change=on_change)


class LiveHeadset:
    """An open headset. A context manager; for one thread, and one of its iterators, at a time.

    Attributes:
        device: what is below, for everything else (`device.client.tune_begin()` …).
    """

    def __init__(
        self, device: ReconnectingHeadset, *, reconnect: bool = True, on_change: OnChange | None = None
    ) -> None:
        self.device = device
        self._reconnect = reconnect
        self._on_change = on_change

    def __enter__(self) -> LiveHeadset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Turn streaming off and give the port back. Idempotent."""
        self.device.close()

    @property
    def info(self) -> DeviceInfo:
        """Who it is: board, headset, sensors, model, whether it is calibrated."""
        return self.device.info

    @property
    def losses(self) -> Losses:
        """Frames received, lost and damaged so far, exactly; not those of the time it was away."""
        return self.device.losses

    @property
    def away_s(self) -> list[float]:
        """How long it was away, each time."""
        return self.device.away_s

    def gaze(self, *, seconds: float | None = None, count: int | None = None) -> Iterator[GazeSample]:
        """Every reading's gaze, as soon as it comes: named tuples, degrees right and up.

        Args:
            seconds: stop after this time, by the headset's clock.
            count: stop after this many.
        Raises:
            LinkError: it has gone, and is not back in time; or it sends nothing.
            DeviceError: it has no model.
        """
        self._check_model()
        yield from self._samples(Stream.GAZE, GazeSample, seconds, count)

    def sensors(self, *, seconds: float | None = None, count: int | None = None) -> Iterator[SensorSample]:
        """Every reading of the sensors: (sensors,) uint16, left-aligned. They can identify people.

        Arguments and errors as `gaze`; no model is needed.
        """
        yield from self._samples(Stream.SENSORS, SensorSample, seconds, count)

    def batches(self, every_s: float = EVERY_S, *, sensors: bool = False) -> Iterator[Batch]:
        """Readings as numpy arrays, those of `every_s` seconds at a time: for less work.

        Args:
            sensors: also the sensors' readings; see psog.live.batch.
        Raises: as `gaze`.
        """
        self._check_model()
        with self._streaming():
            for item in batches(self.device, every_s, sensors=sensors):
                if isinstance(item, Batch):
                    yield item
                else:
                    self._tell(item)

    def chunks(
        self, stream: Stream, kind: type[Item], every_s: float = EVERY_S
    ) -> Generator[list[Item], None, None]:
        """Samples of one kind, those of `every_s` seconds at a time; none of the lists is empty."""
        if stream == Stream.GAZE:
            self._check_model()
        with self._streaming():
            self.device.stream(stream)
            self.device.keep_time()
            for frames in self.device.frames(every_s):
                if isinstance(frames, (Gone, Back)):
                    self._tell(frames)
                    continue
                found: list[Any] = [sample_of(frame) for frame in frames]
                samples = [sample for sample in found if isinstance(sample, kind)]
                if samples:
                    yield samples

    def host_time_s(self, t_us: int) -> float | None:
        """When a sample was read, by time.monotonic(); None in the first moment. See Client."""
        return self.device.host_time_s(t_us)

    def wall_time_s(self, t_us: int) -> float | None:
        """The same in seconds since 1970."""
        return self.device.client.wall_time_s(t_us)

    def _samples(
        self, stream: Stream, kind: type[Item], seconds: float | None, count: int | None
    ) -> Iterator[Item]:
        with self._streaming():
            self.device.stream(stream)
            self.device.keep_time()
            for item in self.device.samples(seconds=seconds, count=count):
                if isinstance(item, kind):
                    yield item
                elif isinstance(item, (Gone, Back)):
                    self._tell(item)

    @contextlib.contextmanager
    def _streaming(self) -> Iterator[None]:
        """Begins with what comes from now on; nothing piles up when the program has seen enough."""
        self.device.client.drop_samples()
        try:
            yield
        finally:
            with contextlib.suppress(LinkError, DeviceError):
                self.device.stream(Stream(0))

    def _tell(self, change: Gone | Back) -> None:
        if self._on_change is not None:
            self._on_change(change)
        if isinstance(change, Gone) and not self._reconnect:
            raise LinkError(change.why)

    def _check_model(self) -> None:
        if not self.info.headset:
            raise DeviceError(
                f"the headset at {self.device.client.port} has no model; send one with psog flash"
            )
