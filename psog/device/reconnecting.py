"""A headset whose cable may be pulled out: what it streams, before and after, and how long it was away."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from serial.tools import list_ports

from psog.device.answers import DeviceInfo
from psog.device.client import Client, silence
from psog.device.frames import Frame
from psog.device.losses import Losses
from psog.device.messages import Stream
from psog.device.ports import Listing, ports_of, usb_id_of
from psog.device.samples import Sample
from psog.errors import DeviceError, LinkError, ProtocolError

_POLL_S = 0.1
_HELLO_S = 0.25
"""How long one answer of a headset that may just be starting is waited for; it is asked again at once."""
_READS = 3
"""How often the port is read while frames are collected, so that none waits for longer than a third of the
time more (a weak value)."""
_TERMINALS = Path("/dev/pts")


class Gone(NamedTuple):
    """The headset has gone, noticed at `host_time_s` (time.monotonic); the next item is Back, once it is."""

    why: str
    host_time_s: float


class Back(NamedTuple):
    """The headset streams again. What it read meanwhile, `away_s` seconds by this computer, is lost."""

    away_s: float


class Place:
    """Where a headset is found again: by its USB identity whatever its port is called, else by its name.

    A port that has become another device's is not taken for it. Numbers of pseudo-terminals are given
    again to any program, so such a port comes back only while a virtual headset is known to have it; a
    link to one is somebody's word that it is the headset's.

    Args:
        port: name of its port, which is there now.
        listing: the serial ports of this computer.
        virtual: names of the ports that virtual headsets have now.
    """

    def __init__(self, port: str, listing: Listing, virtual: Callable[[], Collection[str]]) -> None:
        self.given = port
        self._listing = listing
        self._virtual = virtual
        self._usb = usb_id_of(port, listing)
        self._is_terminal = Path(port).parent == _TERMINALS
        self.can_return = self._usb is not None or not self._is_terminal or port in virtual()

    def port(self) -> str | None:
        """The name its port has now; None while it is away, or cannot be told from others of its kind."""
        if self._usb is None:
            there = self.given in self._virtual() if self._is_terminal else Path(self.given).exists()
            return self.given if there else None
        names = ports_of(self._usb, self._listing)
        if str(Path(self.given).resolve()) in names:
            return self.given
        return names[0] if len(names) == 1 else None


class ReconnectingHeadset:
    """An open headset that is opened again, and streams what it did, when it was away for a while.

    A context manager. For one thread at a time.

    Args:
        port: name of its port, or a link to it (as in /dev/serial/by-id).
        timeout_s: see open_headset.
        patience_s: how long it may be away.
        listing, virtual: see Place.
    Raises:
        LinkError, ProtocolError: see open_headset.
    """

    def __init__(
        self,
        port: str,
        *,
        timeout_s: float = 1.0,
        patience_s: float = math.inf,
        listing: Listing = list_ports.comports,
        virtual: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._place = Place(port, listing, virtual)
        self._client = Client(port, timeout_s=timeout_s)
        self._streams = Stream(0)
        self._keeps_time = False
        self._losses_before = Losses(0, 0, 0, 0)
        self._away_s: list[float] = []
        self._stopped = threading.Event()

    def __enter__(self) -> ReconnectingHeadset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """As Client.close. Idempotent."""
        self._client.close()

    @property
    def client(self) -> Client:
        """The headset as it is connected now; another one after every Back."""
        return self._client

    @property
    def info(self) -> DeviceInfo:
        """Who the headset is."""
        return self._client.info

    @property
    def losses(self) -> Losses:
        """Of all times that it was connected; what was on its way when it went is not known."""
        now = self._client.losses
        return Losses(*(before + new for before, new in zip(self._losses_before, now, strict=True)))

    @property
    def away_s(self) -> list[float]:
        """How long it was away, each time."""
        return list(self._away_s)

    def stream(self, what: Stream) -> None:
        """Have every reading sent as `what` from now on, also after it was away."""
        self._streams = what
        self._client.stream(what)

    def keep_time(self) -> None:
        """Follow its clock from now on; see Client."""
        self._keeps_time = True
        self._client.keep_time()

    def host_time_s(self, t_us: int) -> float | None:
        """Of a sample since it was last away; see Client."""
        return self._client.host_time_s(t_us)

    def samples(
        self, *, seconds: float | None = None, count: int | None = None, timeout_s: float = 2.0
    ) -> Iterator[Sample | Gone | Back]:
        """What the headset streams, and Gone and Back where it was away.

        Args:
            seconds: stop after this time, by the device's clock, and by this computer's while it is away.
            count: stop after this many samples.
            timeout_s: silence for so long counts as having gone.
        Raises:
            LinkError: it has gone and cannot come back, was away for longer than the patience allows, or
                another headset is at its port; it sent nothing at all for `timeout_s` after connecting.
            ProtocolError: it came back speaking another protocol version.
        """
        given, spent_s = 0, 0.0
        while True:
            first_us = last_us = None
            left = None if count is None else count - given
            left_s = None if seconds is None else max(seconds - spent_s, 0.0)
            try:
                for sample in self._client.samples(seconds=left_s, count=left, timeout_s=timeout_s):
                    given += 1
                    first_us = sample.t_us if first_us is None else first_us
                    last_us = sample.t_us
                    yield sample
                    if self._stopped.is_set():
                        return
                return
            except LinkError as error:
                gone = self._gone(error, silent=first_us is None)
            yield gone
            back = self._come_back(gone)
            if back is None:
                return
            if first_us is not None and last_us is not None:
                spent_s += (last_us - first_us) * 1e-6
            spent_s += back.away_s
            yield back

    def frames(self, every_s: float, *, timeout_s: float = 2.0) -> Iterator[list[Frame] | Gone | Back]:
        """What the headset streams as the frames of every `every_s` seconds; psog.live.batch reads them.

        Args:
            every_s: between two lists; none is empty.
            timeout_s: silence for so long counts as having gone.
        Raises as `samples`.
        """
        heard_s, heard = time.monotonic(), False
        self._client.linger(every_s / _READS)
        while not self._stopped.wait(every_s):
            try:
                frames = self._client.take_frames()
                if not frames and time.monotonic() - heard_s > timeout_s:
                    raise silence(self._client.port, timeout_s)
            except LinkError as error:
                gone = self._gone(error, silent=not heard)
                yield gone
                back = self._come_back(gone)
                if back is None:
                    return
                heard_s, heard = time.monotonic(), False
                self._client.linger(every_s / _READS)
                yield back
            else:
                if frames:
                    heard_s, heard = time.monotonic(), True
                    yield frames

    def stop(self) -> None:
        """End `samples` and `frames`, also while the headset is away. From any thread; until `go_on`."""
        self._stopped.set()

    def go_on(self) -> None:
        """Allow `samples` and `frames` again after `stop`."""
        self._stopped.clear()

    def _gone(self, error: LinkError, *, silent: bool) -> Gone:
        """That it has gone. Raises the error again when it cannot come back, or is there but silent."""
        gone = Gone(str(error), time.monotonic())
        if isinstance(error, ProtocolError) or (silent and self._is_there()) or not self._place.can_return:
            raise error
        return gone

    def _come_back(self, gone: Gone) -> Back | None:
        """Wait for it; None when it was stopped meanwhile."""
        if not self._reconnect(gone):
            return None
        away_s = time.monotonic() - gone.host_time_s
        self._away_s.append(away_s)
        return Back(away_s)

    def _is_there(self) -> bool:
        """Whether it still answers: then it has not gone, it has nothing to send."""
        try:
            self._client.hello()
        except LinkError:
            return False
        return True

    def _reconnect(self, gone: Gone) -> bool:
        before = self._client.info
        self._client.close()
        while not self._try_to_connect():
            if time.monotonic() - gone.host_time_s >= self._patience_s:
                raise LinkError(f"the headset has not come back in {self._patience_s:g} s: {gone.why}")
            if self._stopped.wait(_POLL_S):
                return False
        now = self._client.info
        if (now.board, now.headset) != (before.board, before.headset):
            raise LinkError(
                f"another headset has come back at {self._client.port}: {now.headset!r} on {now.board}, "
                f"before it was {before.headset!r} on {before.board}; start again to use it"
            )
        return True

    def _try_to_connect(self) -> bool:
        port = self._place.port()
        if port is None:
            return False
        client = None
        try:
            client = Client(port, timeout_s=self._timeout_s, hello_timeout_s=_HELLO_S)
            if self._keeps_time:
                client.keep_time()
            client.stream(self._streams)
        except ProtocolError:
            raise
        except (LinkError, DeviceError):  # not there yet, or gone again
            if client is not None:
                client.close()
            return False
        self._losses_before, self._client = self.losses, client
        return True
