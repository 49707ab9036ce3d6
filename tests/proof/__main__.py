"""Proofs by abstract interpretation: Frama-C's Eva runs each driver here with the firmware's own source.

    python -m tests.proof [NAME …]

A proof holds when Eva raises no alarm (no access outside, no undefined operation, no uninitialised value on
any path) and every assertion is valid. Types are those of a 32-bit core: sizes and pointers of four bytes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from psog.firmware_export.toolchain import C_TREE

HERE = Path(__file__).resolve().parent
FRAMA_C = "frama-c"


@dataclass(frozen=True)
class Proof:
    """sources: below the C tree, beside the driver; what it includes itself is not among them."""

    sources: tuple[str, ...]
    options: tuple[str, ...] = ("-eva-precision", "2")


PROOFS = {
    "push": Proof(
        ("runtime/frame.c", "runtime/crc32.c"),
        # one state for each thing that can be returned: a frame is only filled in with one of them
        ("-eva-slevel", "300", "-eva-split-return-function", "psog_frame_push:0:1:2,finish:1:2"),
    ),
    "encode": Proof(("runtime/frame.c", "runtime/crc32.c")),
    "slot": Proof(
        tuple(f"runtime/{name}.c" for name in ("slot", "marks", "flash", "store", "crc32")),
        ("-eva-precision", "3"),
    ),
    "stillness": Proof(("app/stillness.c",), ("-eva-precision", "6", "-eva-slevel", "5000")),
    "header": Proof(("runtime/crc32.c",), ("-eva-precision", "3", "-eva-split-return", "full")),
}
# NaN and infinity are values like others: the firmware asks by their bits.
_OPTIONS = ("-machdep", "gcc_x86_32", "-warn-special-float", "none", "-main", "prove", "-eva")


def holds(name: str) -> tuple[bool, str]:
    """Whether Eva proves it, and what it says."""
    proof = PROOFS[name]
    sources = [str(HERE / f"prove_{name}.c"), *(str(C_TREE / source) for source in proof.sources)]
    headers = f"-cpp-extra-args=-I{C_TREE / 'runtime'} -I{C_TREE / 'app'}"
    run = subprocess.run(
        [FRAMA_C, *_OPTIONS, *proof.options, headers, *sources], capture_output=True, text=True, check=False
    )
    said = run.stdout + run.stderr
    sound = "0 alarms generated" in said and "100% of the logical properties reached" in said
    return run.returncode == 0 and sound, said


def main() -> int:
    failed = 0
    for name in sys.argv[1:] or PROOFS:
        proven, said = holds(name)
        statements = re.search(r"(\d+) statements reached \(out of (\d+)\)", said)
        reached = f"{statements[1]} of {statements[2]} statements reached" if statements else "did not run"
        print(f"{name}: {'proven' if proven else 'NOT proven'}; {reached}")
        if not proven:
            print("\n".join(line for line in said.splitlines() if "alarm" in line or "assert" in line))
        failed += not proven
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
