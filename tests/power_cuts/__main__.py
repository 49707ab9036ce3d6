"""`python -m tests.power_cuts [RUNS]`: the long form of test_power_cuts.py."""

from __future__ import annotations

import sys
import time

from tests.power_cuts import GEOMETRIES, Report, cuts_at_random, cuts_everywhere, flips_anywhere

_SEED = 1
_MANY_UNITS = 61
"""Where units are single bytes, all second cuts would take hours: each 61st is tried."""


def main() -> None:
    """Two cuts at every place in every geometry, flipped bits, then so many random headsets."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for where in GEOMETRIES:
        blocks = (
            f"blocks of {where.erase_bytes:,}, units of {where.program_bytes}, {where.erased:#04x} erased"
        )
        every = _MANY_UNITS if where.program_bytes == 1 else 1
        _tell(f"two cuts, {blocks}", lambda where=where, every=every: cuts_everywhere(where, every))
        _tell(f"flipped bits, {blocks}", lambda where=where: flips_anywhere(where, 20_000))
    _tell(f"cuts at random, seed {_SEED}", lambda: cuts_at_random(runs, _SEED))


def _tell(what: str, test) -> None:
    start_s = time.process_time()
    report: Report = test()
    took_s = time.process_time() - start_s
    print(f"{what}: {report.faults:,} faults in {report.runs:,} runs, {took_s:.0f} s", flush=True)
    if report.failure:
        sys.exit(report.failure)


if __name__ == "__main__":
    main()
