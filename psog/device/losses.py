"""Exact loss from sequence numbers: the sender counts every frame, so a gap is what did not arrive."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from psog.device.frames import SEQUENCE_MODULUS, Frame
from psog.device.messages import ACK, GAZE

_REMEMBERED = 64
"""Frames in which a repetition by the link is looked for."""
_FIRST_FRAMES = 64
_SMALL_GAP = 1024
"""A device that starts again counts from 0 and streams nothing until it is told to, so its first frames are
answers. An answer with a number below 64 that is further ahead than this is taken for one of them; any other
gap is a loss."""


class Losses(NamedTuple):
    """What came of the frames that the headset sent.

    Attributes:
        received: frames that arrived intact, each counted once.
        lost: frames that did not, exactly: the gaps in the sequence numbers. Damaged ones are among them.
            Gaps count modulo 65,536, as the numbers do: beyond a minute at 1 kHz, ask the device (STATUS).
        damaged: stretches of bytes that were no intact frame.
        restarts: times the sequence began anew.
    """

    received: int
    lost: int
    damaged: int
    restarts: int

    @property
    def sent(self) -> int:
        """Frames the headset sent, as far as the sequence numbers tell."""
        return self.received + self.lost

    def __str__(self) -> str:
        frames = "frame" if self.damaged == 1 else "frames"
        return f"{self.damaged} {frames} damaged, {self.lost} lost of {self.sent}"


class LossCounter:
    """Follows the sequence numbers of one sender, from the first frame it is shown."""

    def __init__(self) -> None:
        self.received = 0
        self.lost = 0
        self.restarts = 0
        self._expected: int | None = None
        self._recent: deque[Frame] = deque(maxlen=_REMEMBERED)

    def accept(self, frame: Frame) -> bool:
        """Count one intact frame; false when it is a repetition and must not be delivered again."""
        gap = 0 if self._expected is None else (frame.seq - self._expected) % SEQUENCE_MODULUS
        if gap and frame in self._recent:
            return False
        if gap > _SMALL_GAP and _is_of_the_first(frame):
            self.restarts += 1
        else:
            self.lost += gap
        self.received += 1
        self._expected = (frame.seq + 1) % SEQUENCE_MODULUS
        self._recent.append(frame)
        return True


def _is_of_the_first(frame: Frame) -> bool:
    return frame.seq < _FIRST_FRAMES and ACK.code <= frame.type < GAZE.code
