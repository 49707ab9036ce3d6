"""How the simulator's kernels are compiled: one place for numba's options, and a typed decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile on first call and keep the machine code on disk.

    The kernels let go of Python's lock, so that threads can share the work: unlike numba's own parallel
    loops these may be entered from several threads, and they compile in half the time. The "numpy" error
    model drops the test for zero divisors, which would keep loops from being vectorised.
    """
    compile_ = numba.njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
    return cast(Callable[_P, _R], compile_(function))
