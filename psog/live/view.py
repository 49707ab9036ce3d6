"""The live view: a page that shows what a headset reads and where it says that the eye looks."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from psog.device.reconnecting import Gone
from psog.errors import PsogError
from psog.headset import Headset
from psog.live.batch import Batch
from psog.live.events import Event, EventDetector
from psog.live.hub import Hub
from psog.live.view_frame import pack
from psog.web.channel import Channel, Client
from psog.web.server import LOOPBACK, LocalPage

if TYPE_CHECKING:
    from psog.live.shift import ShiftWatch

PACKAGE = "psog.live.page"
EVERY_S = 1 / 64
"""A batch is a frame of the page: a little more often than most displays show one."""
_STATE_EVERY_S = 0.5
_RATE_OVER_S = 2.0


class LiveView:
    """The page of a headset that a hub reads, for anybody who opens it. A context manager.

    Args:
        hub: with sensors, best with batches of EVERY_S. Enter the view first: it then misses nothing.
        headset: description of the one that the hub reads.
        bind, port: see LocalPage.
        recorded: how many readings have been recorded so far; None when nothing is.
        shift: told every reading, and asked how far the headset has moved; None where that cannot be known.
    Raises:
        MissingExtraError, WebError: see LocalPage.
    """

    def __init__(
        self,
        hub: Hub,
        headset: Headset,
        *,
        bind: str = LOOPBACK,
        port: int = 0,
        recorded: Callable[[], int] | None = None,
        shift: ShiftWatch | None = None,
    ) -> None:
        self._hub = hub
        self._headset = headset
        self._recorded = recorded
        self._shift = shift
        self._events = _detector(headset.rate_hz)
        self._gone: Gone | None = None
        self._number = 0
        self._recent: deque[tuple[float, int]] = deque()
        self.page = LocalPage(PACKAGE, Channel(greet=self._greet), bind=bind, port=port)
        self._subscription = hub.subscribe()
        self._thread = threading.Thread(target=self._run, name="psog view", daemon=True)

    def __enter__(self) -> LiveView:
        self.page.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._subscription.close()
        self._thread.join()
        self.page.__exit__(kind, error, trace)

    @property
    def sent(self) -> int:
        """Readings sent to whoever had the page open."""
        return self._number

    def _run(self) -> None:
        channel, told_s = self.page.channel, 0.0
        while not self._subscription.is_closed:
            item = self._subscription.take(_STATE_EVERY_S)
            if isinstance(item, Batch):
                channel.send_frame(pack(item, self._number))
                self._count(len(item.t_us))
                self._tell_events(self._events.add(item) if self._events else [])
                if self._shift is not None:
                    self._shift.add(item)
            elif isinstance(item, Gone):
                self._gone = item
                self._tell_events(self._events.end() if self._events else [])
                channel.send("gone", **self._gone_values(item))
            elif item is not None:
                self._gone = None
                if self._shift is not None:
                    self._shift.begin_anew()  # whoever pulls the cable may have moved the headset
                channel.send("back", away_s=round(item.away_s, 1), device=self._device())
            if time.monotonic() - told_s >= _STATE_EVERY_S:
                told_s = time.monotonic()
                channel.send("state", **self._state())

    def _tell_events(self, events: list[Event]) -> None:
        if events:
            self.page.channel.send("events", events=[_event_values(event) for event in events])

    def _greet(self, client: Client) -> None:
        client.send("hello", headset=_described(self._headset), device=self._device(), state=self._state())
        if self._gone is not None:
            client.send("gone", **self._gone_values(self._gone))

    def _count(self, readings: int) -> None:
        self._number += readings
        self._recent.append((time.monotonic(), readings))
        while self._recent[-1][0] - self._recent[0][0] > _RATE_OVER_S:
            self._recent.popleft()

    def _state(self) -> dict[str, Any]:
        losses, away_s = self._hub.headset.losses, self._hub.headset.away_s
        return {
            "rate_hz": self._rate_hz(),
            "sent": losses.sent,
            "lost": losses.lost,
            "damaged": losses.damaged,
            "away": len(away_s),
            "away_s": round(sum(away_s), 1),
            "viewers": len(self.page.channel.clients),
            "view_lost": self._subscription.lost_readings,
            "recorded": None if self._recorded is None else self._recorded(),
            "shift": None if self._shift is None else _shift_values(self._shift),
        }

    def _rate_hz(self) -> float | None:
        """Readings a second of late; None while there are too few."""
        recent = list(self._recent)
        if len(recent) < 2 or time.monotonic() - recent[-1][0] > _RATE_OVER_S:
            return None
        span_s = recent[-1][0] - recent[0][0]
        return round(sum(count for _, count in recent[1:]) / span_s, 1) if span_s > 0 else None

    def _device(self) -> dict[str, Any]:
        info = self._hub.headset.info
        return {
            "port": self._hub.headset.client.port,
            "board": info.board,
            "firmware": f"{info.firmware >> 8}.{info.firmware & 0xFF}",
            "model": f"{info.model_crc32:08x}",
            "model_version": info.model_version,
        }

    @staticmethod
    def _gone_values(gone: Gone) -> dict[str, Any]:
        return {"why": gone.why, "for_s": round(time.monotonic() - gone.host_time_s, 1)}


def _detector(rate_hz: float) -> EventDetector | None:
    """None for a headset that reads too seldom or too often to find any."""
    try:
        return EventDetector(rate_hz)
    except PsogError:
        return None


def _event_values(event: Event) -> dict[str, Any]:
    h_deg, v_deg = (round(deg, 3) if math.isfinite(deg) else None for deg in event.centre_deg)
    return {
        "kind": event.kind,
        "start_us": event.start_us,
        "end_us": event.end_us,
        "h_deg": h_deg,
        "v_deg": v_deg,
    }


def _shift_values(watch: ShiftWatch) -> dict[str, Any]:
    """What is told of a shift; no more than "since" while too little has been seen."""
    shift = watch.shift
    if shift is None:
        return {"since": watch.since}
    return {
        "since": watch.since,
        "size_mm": round(shift.size_mm, 2),
        "within_mm": round(shift.within_mm, 2),
        "mm": [round(float(value), 2) for value in shift.mm],
        "sd_mm": [round(float(value), 2) for value in shift.sd_mm],
        "has_moved": shift.has_moved,
    }


def _described(headset: Headset) -> dict[str, Any]:
    return {
        "name": headset.name,
        "description": headset.description,
        "rate_hz": headset.rate_hz,
        "field_deg": list(headset.field_deg),
        "detectors_mm": [sensor.detector_mm[:2] for sensor in headset.sensors],
        "emitters_mm": [sensor.emitter_mm[:2] for sensor in headset.sensors],
    }
