"""What skipped instructions do to the verification of models: which images, which faults, in which code."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from psog.device.identity import SIGNATURE_BYTES
from psog.errors import ProbeError
from psog.firmware_export.binaries import functions, symbols
from psog.firmware_export.executed import Code, execute
from psog.firmware_export.keys import DEVELOPMENT_KEY, SigningKey
from psog.firmware_export.toolchain import board_target, build_skips
from psog.probe.emulator import Emulator
from psog.probe.skipping import Marks, Skip, Skipper

WAYS = ("start", "commit")
"""How an image comes before the verification, in the numbers of programs/skips.c: a start finds it in its
slot, or it has been uploaded and is committed."""
ACCEPTED, REFUSED = "accepted", "refused"
ANOTHER_KEY = SigningKey(
    bytes.fromhex(
        "5359d40c4cfabcd35445357b4b09da7be12b3ca365d0d64b467421e167cff9ca"
        "e1c44fdb70f1f5cc6d06a519cc085caadcebd822b102308a867a81735a8828fd"
    )
)
"""Whom nobody trusts."""

_GIVEN = struct.Struct("<II56x")
_CRC_BYTES = 4
_VERSION_AT = 12
_KEPT_FLASH_BYTES = 4096
"""Of the slot: a commit that is refused may erase the block with its head."""
_TIME_LIMIT_S = 120.0
_OUTCOMES = {"skips_accepted": ACCEPTED, "skips_empty": "empty", "skips_refused": REFUSED}
_ARITHMETIC = (
    *("crypto_", "blake2b_", "fe_", "ge_", "mod_l", "remove_l", "slide_", "invsqrt", "load32", "load64"),
    *("x16", "x25519", "scalar", "redc", "mul", "is_above_l"),
)
"""How Monocypher's functions begin."""
_AROUND = ("main", "bench_", "skips_", "mem", "psog_crc32", "psog_flash_", "sim_flash", "program", "erase")
"""What only carries out what others decide: a call passes as one, and it is tried with the arithmetic."""
_EQUATION, _COMPARED, _COMPARED_BY = "crypto_eddsa_check_equation", "ge_tobytes", "x16"
_RARE_RUNS = 300
_NEAR_TIMES = 20


def wrong_images(sound: bytes) -> dict[str, bytes]:
    """Images that must be refused for their signature alone: everything else about them is in order.

    Args:
        sound: an image that the development key has signed.
    """
    content, signature = sound[:-SIGNATURE_BYTES], sound[-SIGNATURE_BYTES:]
    return {
        "unsigned": content + bytes(SIGNATURE_BYTES),
        "the neutral point": content + b"\1" + bytes(SIGNATURE_BYTES - 1),
        "another key": ANOTHER_KEY.signed(content),
        "a changed bit": _another(content) + signature,
        "another's signature": content + DEVELOPMENT_KEY.signed(_another(content))[-SIGNATURE_BYTES:],
    }


def _another(content: bytes) -> bytes:
    """One bit of the version counter changed, and the checksum made to fit."""
    changed = bytearray(content[:-_CRC_BYTES])
    changed[_VERSION_AT] ^= 1
    return bytes(changed) + zlib.crc32(changed).to_bytes(_CRC_BYTES, "little")


class Program:
    """The program that verifies, built for a board, with an image before it.

    Args:
        way: how the image comes before the verification, one of WAYS.
        folder: for files.
    """

    def __init__(self, board: str, image: bytes, way: str, folder: Path) -> None:
        self._board = board_target(board)
        self._path = build_skips(board)
        self._symbols = symbols(self._path, self._board.target)
        self._functions = functions(self._path, self._board.target)
        self._code = Code(self._path, self._board)
        self._folder = folder
        self._given = folder / "given"
        self._given.write_bytes(_GIVEN.pack(WAYS.index(way), len(image)) + image)

    def executed(self) -> dict[int, int]:
        """How often each instruction between the marks runs when nothing is skipped, by address."""
        _, sections = execute(self._board, self._path, self._folder, _TIME_LIMIT_S, self._given.name)
        runs: Counter[int] = Counter()
        for block in sections[0]:
            for address in self._code.addresses(block):
                runs[address] += block.runs
        return {at: runs[at] for at in sorted(runs) if not self._is(at, ("main", "bench_"))}

    @contextmanager
    def skipper(self) -> Iterator[Skipper]:
        """For trying faults."""
        at = self._symbols
        keep = (
            (at["link_data_start"], at["link_bss_end"] - at["link_data_start"]),
            (at["skips_flash"], _KEPT_FLASH_BYTES),
        )
        outcomes = {at[name]: outcome for name, outcome in _OUTCOMES.items()}
        functions = frozenset(span.start for span in self._functions)
        marks = Marks(at["bench_begin"], at["bench_end"], outcomes, functions, keep, at["link_stack_top"])
        with Skipper(self._start, marks, _TIME_LIMIT_S) as skipper:
            yield skipper

    def decides(self, address: int) -> bool:
        """Whether an address is of the code that decides, not of the arithmetic it calls."""
        return not self._is(address, (*_ARITHMETIC, *_AROUND))

    def function(self, name: str) -> range:
        """Addresses of a function."""
        return next(span for span, known in self._functions.items() if known == name)

    def place(self, address: int) -> str:
        """A function and how far inside."""
        for span, name in self._functions.items():
            if address in span:
                return f"{name}+{address - span.start:#x}"
        return f"{address:#010x}"

    def comparison(self, runs: dict[int, int]) -> list[int]:
        """The end of the equation, which runs once in each call: its sides become bytes and are compared."""
        span = self.function(_EQUATION)
        (call,) = self._code.calls(span, self.function(_COMPARED).start)
        places = [at for at in runs if at in span]
        middle = places.index(call)
        first, last = middle, middle
        while runs[places[first - 1]] == runs[call]:
            first -= 1
        while last + 1 < len(places) and runs[places[last + 1]] == runs[call]:
            last += 1
        compared = [at for at in runs if at in self.function(_COMPARED_BY)]
        return places[first : last + 1] + compared

    def _is(self, address: int, beginnings: tuple[str, ...]) -> bool:
        return self.place(address).startswith(beginnings)

    def _start(self) -> Emulator:
        return Emulator(self._board, self._path, (self._given, self._symbols["link_input_start"]))


@contextmanager
def program(board: str, image: bytes, way: str) -> Iterator[Program]:
    """A Program with a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="psog-skips-") as folder:
        yield Program(board, image, way, Path(folder))


class Trial(NamedTuple):
    """Faults of one kind on one image.

    Attributes:
        kind: "decisions", "comparison", "for good" or "at random".
        instructions: different ones that were skipped.
        outcomes: how many faults ended how.
        accepted: where the image got through: function and offset.
    """

    kind: str
    way: str
    image: str
    instructions: int
    outcomes: dict[str, int]
    accepted: tuple[str, ...]


def summed(kind: str, way: str, image: str, tried: Program, skips: Iterable[Skip]) -> Trial:
    """Try all these faults, and say what became of them."""
    outcomes: Counter[str] = Counter()
    places: set[int] = set()
    accepted = []
    for skip in skips:
        outcomes[skip.outcome] += 1
        places.add(skip.address)
        if skip.outcome == ACCEPTED:
            accepted.append(tried.place(skip.address))
    return Trial(kind, way, image, len(places), dict(outcomes), tuple(accepted))


def check_without_fault(skipper: Skipper, expected: str) -> None:
    """Also measures how long a try takes.

    Raises:
        ProbeError: the image is judged otherwise even when nothing is skipped.
    """
    found = skipper.no_fault()
    if found != expected:
        raise ProbeError(f"without a fault an image is {found}, expected {expected}: the trial is wrong")


def comparing(tried: Program, skipper: Skipper, runs: dict[int, int], most: int) -> Iterator[Skip]:
    """The end of the equation, in each of its calls, each of the first `most` times in a call."""
    places = tried.comparison(runs)
    for call in range(1, runs[places[0]] + 1):
        if skipper.go_to(places[0], call):
            yield from skipper.each_from_here(set(places).__contains__, most)


def for_good(skipper: Skipper, runs: dict[int, int]) -> Iterator[Skip]:
    """Every instruction that runs, never carried out."""
    for address in runs:
        yield Skip(address, skipper.every_time(address))


def at_random(skipper: Skipper, runs: dict[int, int], count: int, seed: int) -> Iterator[Skip]:
    """Single occurrences: of any instruction one of the next times after a place that runs rarely, so that
    every phase of the arithmetic is met."""
    random = np.random.default_rng(seed)
    addresses = np.array(list(runs))
    rare = np.array([at for at in runs if runs[at] <= _RARE_RUNS])
    done = 0
    while done < count:
        near = int(random.choice(rare))
        times = int(random.integers(1, runs[near] + 1))
        address = int(random.choice(addresses))
        outcome = skipper.once(near, times, address, int(random.integers(1, _NEAR_TIMES + 1)))
        if outcome is not None:
            done += 1
            yield Skip(address, outcome)
