"""How the simulator's kernels are compiled: one place for numba's options, and a typed decorator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core.caching import FunctionCache

_P = ParamSpec("_P")
_R = TypeVar("_R")

KERNEL_MODULES = (
    "anatomy",
    "compiled",
    "glint",
    "optics",
    "quadrature",
    "raster",
    "render",
    "sample",
    "surfaces",
    "tables",
)
"""Modules whose text ends up in machine code: those with kernels, and those with constants they use."""


def sources_digest() -> str:
    """What the kernels were compiled from."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for name in KERNEL_MODULES:
        digest.update(folder.joinpath(f"{name}.py").read_bytes())
    return digest.hexdigest()


_DIGEST = sources_digest()


class _Cache(FunctionCache):
    """Numba's cache of a function's machine code, keyed to the text of all kernels.

    Numba looks at the function's own file only, but the machine code contains the functions it calls.
    """

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*cast(Any, super())._index_key(sig, codegen), _DIGEST)


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """For a function that Python calls: compile on first call, keep the machine code on disk.

    The kernels let go of Python's lock, so that threads can share the work: unlike numba's own parallel
    loops these may be entered from several threads. The "numpy" error model drops the test for zero
    divisors, which would keep loops from being vectorised.
    """
    dispatcher: Any = numba.njit(fastmath=True, nogil=True, error_model="numpy")(function)
    dispatcher._cache = cast(Any, _Cache)(function)
    return cast(Callable[_P, _R], dispatcher)


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """For a function that only compiled functions call: without the door from Python it compiles faster.

    It always becomes part of its caller. Left to choose, the linker takes this copy of a function in the
    process that compiles and that one from the cache, and fast mathematics rounds each in its own way: the
    same seed would give other bits (1e-6) the first time than ever after.
    """
    njit: Any = numba.njit
    compile_ = njit(
        fastmath=True,
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        forceinline=True,
    )
    return cast(Callable[_P, _R], compile_(function))
