"""How the simulator's kernels are compiled: one place for numba's options, and typed decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

_P = ParamSpec("_P")
_R = TypeVar("_R")

# error_model="numpy" drops the test for zero divisors, which would keep loops from being vectorised.


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile on first call, keep the machine code on disk."""
    return cast(Callable[_P, _R], numba.njit(cache=True, fastmath=True, error_model="numpy")(function))


def compiled_parallel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Like `compiled`, with `numba.prange` loops spread over the cores."""
    return cast(
        Callable[_P, _R],
        numba.njit(cache=True, fastmath=True, error_model="numpy", parallel=True)(function),
    )
