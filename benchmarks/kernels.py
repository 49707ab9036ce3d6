"""`psog bench kernels`: each core's own kernels against plain C, in QEMU or on this computer."""

from __future__ import annotations

from dataclasses import dataclass

from psog.benchmarks.counting import counting
from psog.errors import PsogError, ToolchainError
from psog.firmware_export.boards import BoardName


@dataclass(frozen=True)
class Command:
    """Compare a core's kernels with plain C on random layers with every corner, bit for bit, on that core.

    With `--board host`, the paired and sparse kernels in C, on this computer. Exits with 1 when any output
    differs, or when a kernel reads or writes beyond its arrays.
    """

    board: BoardName = "mps3-an547"
    """Whose core."""
    cases: int = 10_000
    """Random layers."""
    seed: int = 0
    """Of the layers."""
    sanitize: bool = False
    """With the address and undefined-behaviour sanitizers (host only)."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> None:
        import json
        from dataclasses import asdict

        from psog.firmware_export.kernel_check import check_kernels

        for name, value, lowest in (("cases", self.cases, 1), ("seed", self.seed, 0)):
            if not lowest <= value < 1 << 32:
                raise PsogError(f"--{name} is {value}; expected {lowest} or more, below 2^32")
        tell = counting("layers")
        found = check_kernels(
            self.board,
            self.cases,
            self.seed,
            sanitize=self.sanitize,
            progress=lambda done: tell(done, self.cases),
        )
        if self.json:
            print(json.dumps({"board": self.board, **asdict(found)}))
        elif found.different == 0:
            packed = ", ".join(f"{name} {count:,}" for name, count in found.packed.items())
            print(f"{self.board}: {found.cases:,} layers ({packed}), every output identical")
            if found.changed:
                print(f"  {found.accepted:,} of {found.changed:,} changed sparse lists accepted and followed")
        if found.different:
            raise ToolchainError(
                f"the kernels of {self.board} are not those of plain C: {found.different:,} of "
                f"{found.cases:,} layers differ, the first is number {found.first} of seed {self.seed}"
            )
