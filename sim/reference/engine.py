"""Mitsuba and Dr.Jit, loaded when first needed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from psog.errors import MissingExtraError, ToolchainError

VARIANT = "llvm_ad_mono"
_LIBRARY_FOLDERS = ("/usr/lib/*-linux-gnu", "/usr/lib/llvm-*/lib", "/usr/local/lib")
_LIBRARY = re.compile(r"libLLVM(?:-(\d+)\.so.*|\.so\.(\d+).*)")
_OLDEST_LLVM = 17
"""Mitsuba 3.9 aborts with 14 to 16."""


class Engine(NamedTuple):
    """The two modules; their types exist only once a variant is set, so they are not known to the checker."""

    mi: Any
    dr: Any

    @property
    def version(self) -> str:
        return str(self.mi.__version__)


def engine() -> Engine:
    """Mitsuba in the variant that runs on the CPU.

    Raises:
        MissingExtraError: it is not installed.
        ToolchainError: there is no LLVM that it can use.
    """
    if importlib.util.find_spec("mitsuba") is None:
        raise MissingExtraError("mitsuba", "reference", "path tracing")
    os.environ.setdefault("DRJIT_LIBLLVM_PATH", str(_llvm()))  # read when Dr.Jit is loaded
    mi = importlib.import_module("mitsuba")
    if mi.variant() != VARIANT:
        mi.set_variant(VARIANT)
    return Engine(mi, importlib.import_module("drjit"))


def _llvm() -> Path:
    """The shared library of the newest LLVM, or the one that DRJIT_LIBLLVM_PATH names."""
    if "DRJIT_LIBLLVM_PATH" in os.environ:
        return Path(os.environ["DRJIT_LIBLLVM_PATH"])
    found = {
        int(name[1] or name[2]): path
        for folder in _LIBRARY_FOLDERS
        for path in sorted(Path("/").glob(f"{folder[1:]}/libLLVM*"))
        if (name := _LIBRARY.fullmatch(path.name))
    }
    newest = max(found, default=0)
    if newest < _OLDEST_LLVM:
        raise ToolchainError(
            f"path tracing needs LLVM {_OLDEST_LLVM} or later, found {newest or 'none'}; apt-get install "
            "libllvm19, or let DRJIT_LIBLLVM_PATH name the shared library"
        )
    return found[newest]
