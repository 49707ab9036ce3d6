"""Targets that another program draws, a page or a headset's renderer, and says when they are drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from psog.calibration.collect import UnusableTargetError
from psog.calibration.events import Event, EyeSettled, ReadingsIn
from psog.calibration.interruption import Check
from psog.calibration.targets import Target
from psog.calibration.viewing import Viewing

DRAWN_IN_S = 5.0
"""Who has not drawn a target by then draws none (a weak value; a page takes half a second)."""
_CHECK_S = 0.02

Send = Callable[..., None]
"""Takes a message's type and, by name, its values; never waits."""


class Renderer:
    """A Display, and an observer that has the ring around the target filled.

    It sends `show` (number, h_deg, v_deg, place: see psog.calibration.viewing), `ring` (share, 0 … 1: of the
    readings that are in) and `hide`. `shown` with the number of a `show` says that it is drawn.
    """

    def __init__(self, send: Send, viewing: Viewing) -> None:
        self._send = send
        self._viewing = viewing
        self._number = 0
        self._drawn = threading.Event()
        self._now: dict[str, Any] | None = None

    @property
    def now(self) -> dict[str, Any] | None:
        """The values of the `show` that is to be seen now, for who joins late."""
        return self._now

    def show(self, target: Target, check: Check) -> None:
        """See Display."""
        self._drawn.clear()
        self._number += 1
        place = list(self._viewing.place(target.h_deg, target.v_deg))
        self._now = {
            "number": self._number,
            "h_deg": target.h_deg,
            "v_deg": target.v_deg,
            "place": place,
            "to_scale": self._viewing.to_scale,
        }
        self._send("show", **self._now)
        end_s = time.monotonic() + DRAWN_IN_S
        while not self._drawn.wait(_CHECK_S):
            check()
            if time.monotonic() > end_s:
                raise UnusableTargetError(f"nobody has drawn it for {DRAWN_IN_S:g} s", target)

    def hide(self) -> None:
        """See Display."""
        self._now = None
        self._send("hide")

    def shown(self, number: int) -> bool:
        """Somebody has drawn the target of that number; others than the present one do not count.

        Returns whether it is the first to have drawn it.
        """
        is_first = number == self._number and not self._drawn.is_set()
        if is_first:
            self._drawn.set()
        return is_first

    def follow(self, event: Event) -> None:
        """See Observer."""
        match event:
            case EyeSettled():
                self._send("ring", share=0.0)
            case ReadingsIn(share=share):
                self._send("ring", share=share)
