"""How many branches of the parsers the corpus takes, by gcc's counters.

A condition of several parts has two branches for each part.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.build import TARGETS, build_counting, corpus

PARSERS = (
    "frame.c",
    "image.c",
    "image_layers.c",
    "image_sparse.c",
    "signature.c",
    "calibration.c",
    "marks.c",
    "slot.c",
    "store.c",
    "upload.c",
    "commands.c",
    "reading.c",
    "standardise_commands.c",
)
"""Files whose work is to look at what others sent or left behind."""
REDUNDANT = ("signature.c",)
"""Of these a third is there for a core that skips instructions: no input reaches it."""


@dataclass(frozen=True)
class Branches:
    """Of a file. missed: lines with a branch that was never taken."""

    taken: int
    all: int
    missed: tuple[int, ...]

    @property
    def share(self) -> float:
        """0 … 1."""
        return self.taken / self.all


def branch_coverage() -> dict[str, Branches]:
    """By file of PARSERS, of the whole corpus."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = build_counting(folder)
        for target in TARGETS:
            arguments = [target, "0", "0", "finding", *map(str, corpus(target))]
            subprocess.run([str(program), *arguments], cwd=folder, check=True)
        counters = [str(path) for path in folder.glob("*.gcda")]
        run = subprocess.run(
            ["gcov", "--json-format", "--stdout", "--branch-probabilities", *counters],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
    found: dict[str, list[dict]] = {name: [] for name in PARSERS}
    for line in filter(None, run.stdout.splitlines()):
        for file in json.loads(line)["files"]:
            path = Path(file["file"])
            if path.name in PARSERS and path.parent.name in ("runtime", "app"):
                found[path.name] += file["lines"]
    return {name: _branches(lines) for name, lines in found.items()}


def _branches(lines: list[dict]) -> Branches:
    """Of a file that may have been compiled more than once: what one of them took is taken."""
    counts: Counter[tuple[int, int]] = Counter()
    for line in lines:
        for index, branch in enumerate(line["branches"]):
            counts[line["line_number"], index] += branch["count"]
    missed = sorted({number for (number, _), count in counts.items() if count == 0})
    return Branches(sum(count > 0 for count in counts.values()), len(counts), tuple(missed))
