"""Faults of a line, drawn frame by frame: what they make of the bytes, and what then arrives.

A line here carries frames that end with a zero byte (docs/SPEC.md). Nothing that it does is left to the
clock: what happens to frame k depends on (seed, direction, k) alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from psog.device.frames import Decoder, Frame
from psog.errors import PsogError
from psog.sim.streams import stream


@dataclass(frozen=True)
class Faults:
    """How bad a line is. All probabilities are between 0 and 1; those of a frame are drawn independently.

    Attributes:
        bit_error: of each bit on the wire, to be another one. 1e-4 hits 3 % of the frames of a gaze.
        drop: of a frame, to vanish whole.
        cut: of a frame, to lose a run of its bytes, as a receiver does that was not in time.
        duplicate: of a frame, to come twice.
        stall: of a frame, to come late by `stall_s` seconds, and everything after it.
    """

    bit_error: float = 1e-4
    drop: float = 0.01
    cut: float = 0.002
    duplicate: float = 0.01
    stall: float = 0.0005
    stall_s: float = 0.1

    def __post_init__(self) -> None:
        for name in ("bit_error", "drop", "cut", "duplicate", "stall"):
            if not 0 <= getattr(self, name) <= 1:
                raise PsogError(f"faults: {name} is {getattr(self, name):g}; expected 0 to 1")
        if not 0 <= self.stall_s <= 60:
            raise PsogError(f"faults: stall_s is {self.stall_s:g}; expected 0 to 60 seconds")


NO_FAULTS = Faults(bit_error=0, drop=0, cut=0, duplicate=0, stall=0)


class Fate(NamedTuple):
    """What became of one frame on the line.

    Attributes:
        arrived: it can be received: a copy of it came whole, behind a zero byte.
        unharmed: a copy of it came whole, but perhaps joined to a damaged frame before it.
        copies: how often it was sent on, whole or not.
        bit_errors: bits changed in all copies.
    """

    arrived: bool
    unharmed: bool
    copies: int
    bit_errors: int


class Piece(NamedTuple):
    """Bytes to send on, `pause_s` seconds late."""

    pause_s: float
    data: bytes


Note = Callable[[Frame, Fate], None]
"""Told about every frame, in order."""


class FaultyFrames:
    """One direction of a faulty line: bytes in, what is left of them out.

    Args:
        direction: separates the random numbers of the two directions of a line.
        note: told what became of each frame; frames that were damaged before are passed on untold.
    """

    def __init__(self, faults: Faults, seed: int, direction: str, note: Note | None = None) -> None:
        self._faults = faults
        self._seed = seed
        self._purpose = f"faults {direction}"
        self._note = note
        self._number = 0
        self._open = b""
        self._clean = True

    def feed(self, data: bytes) -> list[Piece]:
        """What is sent on of the frames that `data` completes."""
        *bodies, self._open = (self._open + data).split(b"\0")
        return [self._pass(body + b"\0") for body in bodies]

    def _pass(self, wire: bytes) -> Piece:
        frames = Decoder().feed(wire)
        if not frames:  # noise, or a zero on its own
            self._clean = True
            return Piece(0.0, wire)
        rng = stream(self._seed, self._purpose, self._number)
        self._number += 1
        drop, duplicate, stall = rng.random(3) < (
            self._faults.drop,
            self._faults.duplicate,
            self._faults.stall,
        )
        arrived = unharmed = False
        sent, bit_errors = b"", 0
        copies = 0 if drop else 2 if duplicate else 1
        for _ in range(copies):
            copy, errors = _harmed(wire, self._faults, rng)
            arrived |= copy == wire and self._clean
            unharmed |= copy == wire
            self._clean = copy.endswith(b"\0") or (not copy and self._clean)
            sent += copy
            bit_errors += errors
        if self._note is not None:
            self._note(frames[0], Fate(arrived, unharmed, copies, bit_errors))
        return Piece(self._faults.stall_s if stall else 0.0, sent)


def _harmed(wire: bytes, faults: Faults, rng: np.random.Generator) -> tuple[bytes, int]:
    """One copy of a frame as it leaves the line, and how many of its bits were changed."""
    errors = int(rng.binomial(8 * len(wire), faults.bit_error))
    copy = bytearray(wire)
    for bit in rng.choice(8 * len(wire), errors, replace=False).tolist() if errors else ():
        copy[bit // 8] ^= 1 << bit % 8
    if rng.random() < faults.cut:
        first, last = sorted(rng.integers(0, len(wire), 2).tolist())
        del copy[first : last + 1]
    return bytes(copy), errors
