"""Building the fuzz targets: with gcc and a driver of our own, with libFuzzer, or to count branches."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from psog.firmware_export.monocypher_source import SOURCE, monocypher_folder
from psog.firmware_export.toolchain import C_TREE, build_fuzzer
from tests.fuzz.images import images_c

HERE = Path(__file__).resolve().parent
TARGETS = ("frames", "commands", "image", "calibration", "slots", "signature")
CLANG = "clang-14"
_DIALECT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-ffp-contract=off", "-fno-math-errno")
_EASY = ("-include", str(HERE / "easy_signature.h"))
_INCLUDES = tuple(f"-I{folder}" for folder in (C_TREE / "runtime", C_TREE / "app", C_TREE / "boards", HERE))
_SHARED = ("memory_board", "memory_flash", "easy_signature")
_LOOPS = (
    "crc32.c",
    "flash.c",
    "kernels_plain.c",
    "kernels_paired.c",
    "kernels_paired_dense.c",
    "memory_flash.c",
)
"""Where a run spends most of its time, the same way whatever the input: libFuzzer need not watch them."""
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_WATCHED = ("-fsanitize=fuzzer-no-link", "-fno-sanitize-coverage=trace-cmp")
"""Which edges are taken. Comparisons are not traced: it takes half of the time, and inputs come with fitting
CRCs and marks by themselves."""


def corpus(target: str) -> list[Path]:
    """A target's inputs that are kept."""
    return sorted((HERE / "corpus" / target).iterdir())


def build_driver() -> Path:
    """All targets under gcc's sanitizers, run by driver.c; from the cache when it was built before."""
    with tempfile.TemporaryDirectory() as folder:
        flags = (*_EASY, f"-DFUZZ_HEADERS={_headers()}")  # built anew when one of them has changed
        return build_fuzzer([*_own("driver"), _images(Path(folder))], HERE, flags)


def build_libfuzzer(folder: Path) -> dict[str, Path]:
    """A libFuzzer program of each target.

    The firmware is compiled once, into an archive from which each takes what it needs: libFuzzer looks at all
    counters after each run.
    """
    flags = [*_DIALECT, "-Wno-unknown-pragmas", "-O2", "-g1", *_SANITIZERS, *_INCLUDES, *_EASY, _monocypher()]
    sources = [*_firmware(), *(HERE / f"{name}.c" for name in _SHARED), _images(folder)]
    loops = [source for source in sources if source.name in _LOOPS]
    watched = [source for source in sources if source not in loops]
    _run([CLANG, "-O2", "-c", str(monocypher_folder() / SOURCE)], folder)
    _run([CLANG, *flags, "-c", *map(str, loops)], folder)
    _run([CLANG, *flags, *_WATCHED, "-c", *map(str, watched)], folder)
    archive = folder / "firmware.a"
    _run(["ar", "rcs", str(archive), *map(str, sorted(folder.glob("*.o")))], folder)
    programs = {target: folder / target for target in TARGETS}
    for target, program in programs.items():
        name = f"-DFUZZ_TARGET=fuzz_{target}"
        ends = [str(HERE / f"fuzz_{target}.c"), str(HERE / "libfuzzer.c"), str(archive), "-lm"]
        _run([CLANG, *flags, "-fsanitize=fuzzer", _WATCHED[1], name, *ends, "-o", str(program)], folder)
    return programs


def build_counting(folder: Path) -> Path:
    """All targets with gcc's counters of branches; these lie in the folder."""
    _run(["gcc", "-O2", "-c", str(monocypher_folder() / SOURCE)], folder)
    flags = [*_DIALECT, "-O0", "--coverage", "-DWITHOUT_SANITIZERS", *_INCLUDES, *_EASY, _monocypher()]
    sources = [*_firmware(), *_own("driver"), _images(folder)]
    _run(["gcc", *flags, *map(str, sources), "monocypher.o", "-o", "counting", "-lm"], folder)
    return folder / "counting"


def _firmware() -> list[Path]:
    sources = [*(C_TREE / "runtime").glob("*.c"), *(C_TREE / "app").glob("*.c")]
    return sorted(source for source in sources if source.name != "main.c")


def _own(driver: str) -> list[Path]:
    names = (*(f"fuzz_{target}" for target in TARGETS), *_SHARED, driver)
    return [HERE / f"{name}.c" for name in names]


def _headers() -> str:
    content = b"".join(path.read_bytes() for path in sorted(HERE.glob("*.h")))
    return hashlib.sha256(content).hexdigest()[:8]


def _monocypher() -> str:
    return f"-isystem{monocypher_folder()}"


def _images(folder: Path) -> Path:
    path = folder / "images.c"
    path.write_text(images_c(), "utf-8")
    return path


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True)


def has_libfuzzer() -> bool:
    """Whether clang is there to build it."""
    return shutil.which(CLANG) is not None


def cores() -> int:
    """How many processes may run at once."""
    return len(os.sched_getaffinity(0))
