"""Power cuts and flipped bits in flash: the firmware's own storage over a model of NOR flash.

`python -m tests.power_cuts` tries what the tests have no time for.
"""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from psog.device.identity import model_crc32
from psog.firmware_export.image import write_image
from psog.firmware_export.keys import DEVELOPMENT_KEY
from psog.firmware_export.toolchain import build_beside_runtime
from tests.firmware.c_api import Trust, trust
from tests.random_nets import LayerPlan, grid_headset, random_net

HERE = Path(__file__).resolve().parent
_MODELS = 3
_CALIBRATION = 4096


class Geometry(ctypes.Structure):
    """struct nor_geometry."""

    _fields_ = (
        ("size_bytes", ctypes.c_uint32),
        ("erase_bytes", ctypes.c_uint32),
        ("program_bytes", ctypes.c_uint32),
        ("erased", ctypes.c_uint8),
    )


def geometry(erase: int, program: int, erased: int, model_blocks: int) -> Geometry:
    """Two model slots of so many blocks and two for calibrations."""
    return Geometry(2 * erase * (model_blocks + -(-_CALIBRATION // erase)), erase, program, erased)


GEOMETRIES = (
    geometry(64, 8, 0xFF, 10),
    geometry(1024, 4, 0x00, 1),
    geometry(4096, 8, 0xFF, 1),
    geometry(256, 2, 0xFF, 3),
    geometry(2048, 1, 0x00, 1),
)
"""Images in many small blocks, in a few, and in one; all program units; both erased values."""


class _Images(ctypes.Structure):
    """struct world_images."""

    _fields_ = (
        ("bytes", ctypes.c_char_p * _MODELS),
        ("size", ctypes.c_uint32 * _MODELS),
        ("crc32", ctypes.c_uint32 * _MODELS),
        ("trust", Trust),
    )


class _Report(ctypes.Structure):
    """struct report."""

    _fields_ = (("runs", ctypes.c_uint64), ("faults", ctypes.c_uint64), ("failure", ctypes.c_char * 200))


@dataclass(frozen=True)
class Report:
    """How often a headset started, after how many cuts or flipped bits; what it was that it did not bear."""

    runs: int
    faults: int
    failure: str


def cuts_everywhere(where: Geometry, every: int = 1) -> Report:
    """Two cuts: at each operation of an upload, a save and an erase, and at each of what follows.

    Args:
        every: of the second cuts only the first 16, and then each so-manieth.
    """
    return _run("cuts_everywhere", ctypes.byref(where), every)


def cuts_at_random(runs: int, seed: int) -> Report:
    """Headsets whose power is cut again and again, in all geometries."""
    where = (Geometry * len(GEOMETRIES))(*GEOMETRIES)
    return _run("cuts_at_random", where, len(where), ctypes.c_uint64(seed), runs)


def flips_anywhere(where: Geometry, random: int) -> Report:
    """Every bit of heads, headers and trailers, then so many times one to three of anything."""
    return _run("flips_anywhere", ctypes.byref(where), random)


def _run(name: str, *arguments: object) -> Report:
    report = _Report()
    getattr(_library(), name)(ctypes.byref(_images()), *arguments, ctypes.byref(report))
    return Report(report.runs, report.faults, report.failure.decode())


@cache
def _library() -> ctypes.CDLL:
    content = b"".join(path.read_bytes() for path in sorted(HERE.glob("*.h")))
    flags = ("-include", str(HERE / "remembered.h"), f"-DHEADERS=0x{hashlib.sha256(content).hexdigest()[:8]}")
    sources = [HERE / f"{name}.c" for name in ("cuts", "flips", "world", "nor", "remembered")]
    return ctypes.CDLL(str(build_beside_runtime(sources, HERE, flags)))


@cache
def _images() -> _Images:
    """Three small models of one architecture."""
    plan = (LayerPlan("dense", 2),)
    images = [write_image(*random_net(seed, plan, grid_headset(3, 3))) for seed in (10, 11, 12)]
    return _Images(
        (ctypes.c_char_p * _MODELS)(*images),
        (ctypes.c_uint32 * _MODELS)(*map(len, images)),
        (ctypes.c_uint32 * _MODELS)(*map(model_crc32, images)),
        trust(DEVELOPMENT_KEY.public),
    )
