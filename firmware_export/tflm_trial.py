"""Run as a program of its own: tries arena sizes with TFLite Micro's interpreter, which may crash on one.

    tflm_trial.py FILE LOW HIGH

finds the smallest size that the interpreter takes for the .tflite file, in units of 16 bytes from LOW to
HIGH. Says each size before it is tried and the answer after it, one a line: `1024 ?`, then `1024 yes` or
`1024 no`. Sizes are in bytes. The interpreter's own complaints go to standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path

ALIGNMENT = 16  # of the arena (TFLite Micro's micro_arena_constants.h)


def main(file: str, low: int, high: int) -> None:
    """Bisect; at the end the smallest `yes` is the answer."""
    from tflite_micro import runtime

    tflite = Path(file).read_bytes()
    while low <= high:
        middle = (low + high) // 2
        size = middle * ALIGNMENT
        print(size, "?", flush=True)
        try:
            runtime.Interpreter.from_bytes(tflite, arena_size=size)
        except RuntimeError:
            print(size, "no", flush=True)
            low = middle + 1
        else:
            print(size, "yes", flush=True)
            high = middle - 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
