"""What a run of `psog bench link` shows: samples against what was sent, losses against what the line did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.link_run import Ledger, Run
from psog.device.frames import SEQUENCE_MODULUS
from psog.device.messages import GAZE, GazeFlag

OUTPUT_TOLERANCE = 1e-3
"""Between the head's output of the integer model here and of the firmware (docs/SPEC.md, test vector)."""


@dataclass(frozen=True)
class LinkFigures:
    """Figures of a run. On a line without faults, what the line did is nothing.

    Attributes:
        seconds: from the first sample to the last; more than asked for where the computer is too busy to send
            a reading every millisecond.
        sent: readings.
        delivered: samples that the client was given.
        corrupt: samples among them that are not what the device computed from a reading that was sent, or
            that came twice or out of order.
        lost: frames of the headset that did not reach the client, by what the line did, and `dropped`.
        reported: frames that the client says were lost.
        dropped: of `lost`, what the device did not send because the link was full, by its own count.
        processed: readings that the device says it processed.
        resynchronised_by: which intact frame after damage was delivered, at the latest; 1 is the first.
        cpu_percent: of one core, by the client's process.
        p50_ms, p99_ms, max_ms: from sending a reading to delivering its sample.
        load: what else the computer did: its load average over the last minute, our own processes included.
        damaged, vanished, repeated, bit_errors: what the line did: frames it harmed, frames it swallowed,
            frames that it sent twice, bits it changed.
    """

    seconds: float
    sent: int
    delivered: int
    corrupt: int
    lost: int
    reported: int
    dropped: int
    processed: int
    resynchronised_by: int
    cpu_percent: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    load: float
    damaged: int = 0
    vanished: int = 0
    repeated: int = 0
    bit_errors: int = 0

    @property
    def sound(self) -> bool:
        """No corrupt sample, every loss reported, every reading processed, in step by the second frame."""
        return (
            self.corrupt == 0
            and self.reported == self.lost >= self.sent - self.delivered
            and self.processed == self.sent
            and self.resynchronised_by <= 2
        )


def link_figures(run: Run, output: NDArray[np.float32]) -> LinkFigures:
    """Compare a run with what must have come of it.

    Args:
        output: (n, 4) what the integer model makes of each row that was sent: right and up (degrees),
            openness, natural logarithm of the expected error (degrees).
    """
    ledger, received = run.ledger, run.received
    latency_ms = (run.delivered["at_us"].astype(np.float64) - run.delivered["t_us"]) / 1000
    p50_ms, p99_ms, max_ms = np.percentile(latency_ms, (50, 99, 100))
    corrupt = _corrupt(run, output)
    lost, resynchronised_by, done = received.dropped, 1, {}
    if ledger is not None:
        corrupt = max(corrupt, _not_what_arrived(run.delivered, ledger))
        lost = _lost(ledger, received.losses.sent)
        resynchronised_by = _resynchronised_by(ledger)
        done = {
            "damaged": len(ledger.seq) - sum(ledger.unharmed) - ledger.vanished,
            "vanished": ledger.vanished,
            "repeated": ledger.repeated,
            "bit_errors": ledger.bit_errors,
        }
    return LinkFigures(
        seconds=round(received.wall_s, 1),
        sent=len(run.sent_us),
        delivered=len(run.delivered),
        corrupt=corrupt,
        lost=lost,
        reported=received.losses.lost,
        dropped=received.dropped,
        processed=received.readings,
        resynchronised_by=resynchronised_by,
        cpu_percent=round(100 * received.cpu_s / received.wall_s, 2),
        p50_ms=round(float(p50_ms), 3),
        p99_ms=round(float(p99_ms), 3),
        max_ms=round(float(max_ms), 3),
        load=run.load,
        **done,
    )


def _corrupt(run: Run, output: NDArray[np.float32]) -> int:
    """Samples of no reading, out of order, or with another output than that reading's."""
    t_us = run.delivered["t_us"].astype(np.int64)
    number = np.searchsorted(run.sent_us, t_us).clip(max=len(run.sent_us) - 1)
    wrong = run.sent_us[number] != t_us
    wrong[1:] |= np.diff(t_us) <= 0
    row = number % len(output)
    given = np.ascontiguousarray(run.delivered["output"])
    bits = given.view(np.uint32)
    with np.errstate(all="ignore"):  # what is corrupt may be anything
        given = np.concatenate([given[:, :3], np.log(given[:, 3:])], axis=1)
        wrong |= ~(np.abs(given - output[row]) <= OUTPUT_TOLERANCE).all(axis=1)
    _, first = np.unique(row, return_index=True)
    same = np.zeros((len(output), 4), np.uint32)
    same[row[first]] = bits[first]
    wrong |= (bits != same[row]).any(axis=1)
    wrong |= run.delivered["flags"] & ~GazeFlag.STILL != GazeFlag.VALID
    return int(wrong.sum())


def _not_what_arrived(delivered: NDArray[np.void], ledger: Ledger) -> int:
    """Samples that are not, byte for byte and in order, the frames of a gaze that arrived."""
    names = ["t_us", "output", "flags"]
    packed = np.dtype([(name, delivered.dtype[name]) for name in names])
    assert packed.itemsize == GAZE.layout.size
    given = np.empty(len(delivered), packed)
    for name in names:
        given[name] = delivered[name]
    ours = np.frombuffer(given.tobytes(), np.uint8).reshape(-1, packed.itemsize)
    theirs = np.frombuffer(bytes(ledger.payloads), np.uint8).reshape(-1, packed.itemsize)
    both = min(len(ours), len(theirs))
    return int((ours[:both] != theirs[:both]).any(axis=1).sum()) + abs(len(ours) - len(theirs))


def _lost(ledger: Ledger, sent: int) -> int:
    """Frames that did not arrive of the last `sent` up to the last that did: these the client has counted."""
    seq = np.array(ledger.seq, np.int64)
    number = np.concatenate([[0], np.cumsum((seq[1:] - seq[:-1]) % SEQUENCE_MODULUS)])
    arrived = number[np.frombuffer(bytes(ledger.arrived), np.bool_)]
    return sent - int((arrived > arrived[-1] - sent).sum())


def _resynchronised_by(ledger: Ledger) -> int:
    """1, and the longest run of unharmed frames that were not received behind a damaged one."""
    longest = length = 0
    for arrived, unharmed in zip(ledger.arrived, ledger.unharmed, strict=True):
        length = length + 1 if unharmed and not arrived else 0
        longest = max(longest, length)
    return longest + 1
