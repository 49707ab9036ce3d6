"""Counter-based random streams: what is drawn for item k depends on (seed, purpose, k) alone."""

from __future__ import annotations

import hashlib

import numpy as np

from psog.errors import SimulationError


def stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The generator of item `index` among those drawn for `purpose`.

    Streams of different purposes or indices are independent, so drawing more of one thing never
    changes another.

    Raises:
        SimulationError: a negative seed or index.
    """
    return np.random.Generator(np.random.Philox(key=[derived_seed(seed, purpose), _natural(index, "index")]))


def derived_seed(seed: int, purpose: str) -> int:
    """A seed for `purpose` that shares nothing with `seed` or with other purposes; 0 to 2^63 - 1."""
    text = f"{_natural(seed, 'seed')}/{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def _natural(value: int, what: str) -> int:
    if value < 0:
        raise SimulationError(f"cannot draw random numbers: {what} {value} given, expected 0 or more")
    return int(value)
