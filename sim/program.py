"""Which program makes the shards: a recording is made by one and the same."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from psog.sim.compiled import build_name
from psog.sim.optics import ABREAST

_LIBRARIES = ("numpy", "pyarrow", "scipy")
"""Whose arithmetic or file format ends up in a shard's bytes."""


@cache
def program_digest() -> str:
    """Of the simulator's text, of the versions of the libraries that its numbers go through, and of compiler
    and processor: another one may round the last digit otherwise."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    digest.update(build_name(ABREAST).encode())
    for name in _LIBRARIES:
        digest.update(f"{name} {version(name)}\n".encode())
    return digest.hexdigest()[:16]
