"""A headset of two sensors: what it reads is made quickly, so that tests can make many shards."""

import hashlib
from pathlib import Path

from psog.headset import load_headset
from psog.sim.config import SimulationConfig

PAIR_TOML = """
schema = 1
name = "pair"
description = "two sensors of ring16"
rate_hz = 1000
field_deg = [20, 20]
layout = [[0, 1]]
[adc]
bits = 12
[noise]
snr = 1000
[lobes]
detector_exponent = 8
emitter_exponent = 1
[[sensors]]
detector_mm = [20.60, 3.32, 26.00]
detector_aim_mm = [3.53, 0.48, 11.00]
emitter_mm = [20.01, 6.26, 26.00]
emitter_aim_mm = [3.53, 0.48, 11.00]
[[sensors]]
detector_mm = [17.46, 9.44, 26.00]
detector_aim_mm = [6.65, 3.06, 11.00]
emitter_mm = [15.79, 11.94, 26.00]
emitter_aim_mm = [6.65, 3.06, 11.00]
"""


def pair_file(folder: Path) -> Path:
    path = folder / "pair.toml"
    path.write_text(PAIR_TOML, "utf-8")
    return path


def pair_config(folder: Path, *, users: int = 6, seconds: float = 60.0, seed: int = 7) -> SimulationConfig:
    """A shard for each user, of 60,000 samples."""
    return SimulationConfig(load_headset(pair_file(folder)), users=users, seconds=seconds, seed=seed)


def digests(folder: Path) -> dict[str, str]:
    """File name → sha256."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
