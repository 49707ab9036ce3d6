"""The kernels' machine code: compiled on first use and kept in a cache.

It is named after its sources, this file that says how it is made, the constants it uses, the compiler and the
processor, so that it is made once and never used for others. Another processor may round the last digit
otherwise.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from psog.errors import ToolchainError
from psog.sealed import is_whole, seal
from psog.sim import anatomy

_RECIPE = Path(__file__).resolve()
_SOURCES = _RECIPE.parent / "kernels"
_FLAGS = ("-std=c99", "-O3", "-march=native", "-ffast-math", "-fPIC")
_LINK = ("-shared",)
"""Without -ffast-math: linked with it, older compilers add code that turns subnormal numbers off for the
whole process that loads the library."""
_WARNINGS = ("-Wall", "-Wextra", "-Werror")
_CONSTANTS = (
    "CORNEA_INDEX",
    "TEAR_INDEX",
    "LID_THICKNESS_MM",
    "FACE_HEIGHT_MM",
    "FACE_BLEND_MM",
    "FORNIX",
    "RELIEF_WIDTH_MM",
    "CREASE_WIDTH_MM",
    "LASH_RISE",
    "LENS_MM",
    "LENS_TRANSMISSION",
    "SEEN_CREASE",
    "SEEN_CREASE_AT_MM",
    "SEEN_CREASE_WIDTH_MM",
    "SEEN_FACE",
    "SEEN_FACE_AT_MM",
    "SEEN_FACE_WIDTH_MM",
    "NOMINAL_SHELL_MM",
    "BOUNCE_ON_SKIN",
    "BOUNCE_ON_EYE",
    "GLINT_LIMBUS_BLUR_MM",
    "GLINT_LID_BLUR_MM",
)
"""Of `psog.sim.anatomy`: what the kernels use of it."""
_PACKAGES = "apt-get install gcc libc6-dev"


def build_name(across: int) -> str:
    """Names the machine code for `across` sensors, by all that decides it.

    Raises:
        ToolchainError: no C compiler.
    """
    compiler = _compiler()
    made_by = _run([compiler, "--version"]) + _run([compiler, "-march=native", "-Q", "--help=target"])
    digest = hashlib.sha256()
    texts = (source.read_text("utf-8") for source in (_RECIPE, *sorted(_SOURCES.iterdir())))
    for part in (made_by, _constants(across), *texts):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:24]


def _constants(across: int) -> str:
    """The header that Python's constants come in."""
    lines = [f"#define {name} {getattr(anatomy, name)!r}f" for name in _CONSTANTS]
    return "\n".join([*lines, f"enum {{ ACROSS = {across} }};", ""])


def _compiler() -> str:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise ToolchainError(f"the simulator needs a C compiler, and there is no gcc; {_PACKAGES}")
    return compiler


def compiled(across: int) -> Path:
    """The shared library for `across` sensors, from the cache if it is there and whole; it appears there
    complete or not at all.

    Raises:
        ToolchainError: no C compiler, or it fails; or the cache cannot be written.
    """
    name = f"{build_name(across)}.so"
    folder = _cache()
    built = folder / name
    try:
        if not is_whole(built):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as place:
                _compile(across, Path(place, name))
                Path(place, name).replace(built)
    except OSError as error:
        raise ToolchainError(
            f"cannot keep the compiled simulator in {folder}: {error.strerror or error}; "
            "set XDG_CACHE_HOME to a folder that can be written"
        ) from error
    return built


def _cache() -> Path:
    """Where machine code is kept."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:  # a user without a home
        raise ToolchainError(
            "there is no home folder to keep the compiled simulator in; "
            "set XDG_CACHE_HOME to a folder that can be written"
        ) from error
    return root / "psog" / "simulator"


def _compile(across: int, library: Path) -> None:
    """Write the shared library, sealed."""
    library.with_name("anatomy.h").write_text(_constants(across), "utf-8")
    source, machine_code = str(_SOURCES / "render.c"), str(library.with_suffix(".o"))
    _run([_compiler(), *_WARNINGS, *_FLAGS, f"-I{library.parent}", "-c", source, "-o", machine_code])
    _run([_compiler(), *_LINK, machine_code, "-o", str(library), "-lm"])
    seal(library)


def _run(command: list[str]) -> str:
    """What a program prints, in English whatever the user speaks."""
    spoken = {**os.environ, "LC_ALL": "C"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=spoken)
    if run.returncode != 0:
        lines = run.stderr.splitlines() or ["it does not say why"]
        complaint = next((line for line in lines if "error" in line.lower()), lines[0])
        missing = f"; {_PACKAGES}" if "No such file" in run.stderr else ""
        raise ToolchainError(
            f"{Path(command[0]).name} cannot compile the simulator (exit {run.returncode}): "
            f"{complaint}{missing}"
        )
    return run.stdout
