"""How far a long benchmark is: one line on standard error that changes in place."""

from __future__ import annotations

import sys
from collections.abc import Callable


def counting(what: str) -> Callable[[int, int], None]:
    """Tells how many are done, of how many. Where nobody looks on, as in a log, only when all are.

    Args:
        what: the rest of the line.
    """

    def tell(done: int, count: int) -> None:
        if done == count or sys.stderr.isatty():
            end = "\n" if done == count else ""
            print(f"\r{done:,} of {count:,} {what}", end=end, file=sys.stderr, flush=True)

    return tell
