"""Building the firmware's C tree.

Every build goes into a cache folder named after its sources, flags and compiler, so that it happens once;
it appears there complete or not at all, and one that is damaged later is built again.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from psog.cache import cache_folder
from psog.errors import ToolchainError
from psog.firmware_export.boards import (
    BOARDS,
    CORTEX_M_FOLDERS,
    HOST,
    SILICON_SCRIPT,
    BoardTarget,
    Target,
    cortex_m_link,
)
from psog.firmware_export.lean import Lean
from psog.firmware_export.led_drive import LedDrive
from psog.firmware_export.monocypher_source import SOURCE, monocypher_folder
from psog.firmware_export.trust import Trust
from psog.sealed import is_whole, seal

_RECIPE = Path(__file__).resolve()
C_TREE = _RECIPE.parent / "firmware"

_WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-Wconversion")
# No fused multiply-add and no errno from sqrtf: floats come out the same on every board.
_CODE = ("-O2", "-ffp-contract=off", "-fno-math-errno", "-ffunction-sections", "-fdata-sections")
_SANITIZERS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


QEMU = "qemu-system-arm"


def available_boards() -> list[str]:
    """Boards whose compiler, and emulator where one is needed, are installed."""
    return [
        name
        for name, board in BOARDS.items()
        if shutil.which(board.target.compiler) and (not board.machine or shutil.which(QEMU))
    ]


def board_target(name: str) -> BoardTarget:
    """The board of that name.

    Raises:
        ToolchainError: there is none.
    """
    if name not in BOARDS:
        raise ToolchainError(f"no board named {name!r}; expected one of {', '.join(BOARDS)}")
    return BOARDS[name]


def find_program(program: str, package: str) -> str:
    """Path of an installed program.

    Raises:
        ToolchainError: it is missing; says which Debian packages bring it.
    """
    path = shutil.which(program)
    if path is None:
        raise ToolchainError(f"{program} is not installed; on Debian: apt-get install {package}")
    return path


def compiler_version(target: Target) -> str:
    """The first line with which a compiler introduces itself."""
    return run_tool([find_program(target.compiler, target.package), "--version"], C_TREE).splitlines()[0]


def build_board(
    name: str,
    *,
    sanitize: bool = False,
    silicon: bool = False,
    trust: Trust | None = None,
    leds: LedDrive | None = None,
    lean: Lean | None = None,
) -> Path:
    """The firmware of a board: an executable for `host`, an ELF file for the others.

    Args:
        sanitize: with the address and undefined-behaviour sanitizers (host only).
        silicon: for the part itself, of a board that has both forms, instead of for QEMU.
        trust: whose models it takes; by default those of the development key, for any headset.
        leds: of the headset (led_drive.py); by default less than what is safe for the built-in ones.
        lean: what the runtime holds; by default all that the core runs.
    Raises:
        ToolchainError: unknown board, compiler missing, it does not compile, it has no such form, or that is
            no trust for it.
    """
    board = _for_silicon(name) if silicon else board_target(name)
    folders = (*board.shared, f"boards/{name}")
    sources = [s for s in _sources("runtime", "app", *folders) if not s.match(_LIBRARY)]
    headset = (*(trust or Trust()).definitions(), *(leds.definitions() if leds else ()))
    target = _holding(board.target, lean, *board.smaller, *headset)
    link = (*board.link, *(_SANITIZERS if sanitize else ()))
    return _build(target, f"{name}.elf", sources, link, folders)


def build_bench(name: str, *, lean: Lean | None = None) -> Path:
    """The program that measures one model on an emulated board (boards/common/programs/bench.c)."""
    return _build_program(name, "bench", lean=lean)


def build_kernel_check(name: str, *, sanitize: bool = False) -> Path:
    """The program that compares a core's kernels with plain C (programs/kernel_check.c).

    Args:
        sanitize: with the address and undefined-behaviour sanitizers (host only).
    """
    if board_target(name).machine:
        return _build_program(name, "kernel_check", "kernel_check_board")
    sources = [*_sources("runtime"), *_program_sources("kernel_check", "kernel_check_host")]
    return _build(HOST, f"{name}-kernel_check.elf", sources, _SANITIZERS if sanitize else ())


def build_skips(name: str) -> Path:
    """The program that hands one image to the verification, for faults to be tried (programs/skips.c)."""
    return _build_program(name, "skips")


def build_spikes(name: str) -> Path:
    """The program that runs and measures a spiking network on an emulated board (programs/spikes.c)."""
    return _build_program(name, "spikes")


def build_runtime(name: str, *, calibrating: bool = False, lean: Lean | None = None) -> Path:
    """Network and head alone, linked for a board's core: what an application adds to its flash.

    Args:
        calibrating: with the calibration to a user.
        lean: what it holds; by default all that the core runs.
    """
    board = board_target(name)
    entries = ["psog_model_open", "psog_infer", "psog_head_apply"]
    if calibrating:
        entries += ["psog_samples_begin", "psog_samples_target", "psog_samples_add", "psog_samples_solve"]
    keep = [f"-Wl,--undefined={entry}" for entry in entries]
    link = [
        "-nostartfiles",
        "--specs=nano.specs",
        "-Wl,--gc-sections",
        "-Wl,--entry=psog_infer",
        *keep,
        "-lm",
    ]
    return _build(_holding(board.target, lean), f"{name}-runtime.elf", _sources("runtime"), link)


def build_library(*, sanitize: bool = False, lean: Lean | None = None) -> Path:
    """The runtime as a shared library of the host (boards/host/library.c).

    Args:
        lean: what it holds; by default everything.
        sanitize: with the address and undefined-behaviour sanitizers; load it into a process that has
            their run-time library.
    """
    own = [C_TREE / "app" / name for name in _APP_IN_LIBRARY]
    sources = [*_sources("runtime"), *own, *sorted((C_TREE / "boards/host").glob(_LIBRARY))]
    extra = _SANITIZERS if sanitize else ()
    return _build(_holding(HOST, lean), "libpsog.so", sources, ["-shared", "-fPIC", *extra, "-lm"])


def build_beside_runtime(more: Sequence[Path], headers: Path, flags: Sequence[str]) -> Path:
    """The runtime and other sources as a shared library of the host.

    Args:
        more: the sources; the first names it.
        headers: the folder of theirs.
        flags: further ones for the compiler.
    """
    sources = [*_sources("runtime"), *more]
    return _build(HOST, f"{more[0].stem}.so", sources, ["-shared", "-fPIC", *flags, "-lm"], [str(headers)])


def build_fuzzer(more: Sequence[Path], headers: Path, flags: Sequence[str]) -> Path:
    """Runtime and application with other sources in place of a board, under the sanitizers.

    Args:
        more: the sources; a main is among them.
        headers: the folder of theirs.
        flags: further ones for the compiler.
    """
    sources = [*(s for s in _sources("runtime", "app") if s.name != _MAIN), *more]
    return _build(HOST, "fuzz.elf", sources, [*flags, *_SANITIZERS, "-lm"], [str(headers)])


def build_program(source: Path, *, link: Sequence[str] = ()) -> Path:
    """A host program or library of one source file outside the firmware, such as the emulator's plugin."""
    return _build(HOST, source.stem + ".so", [source], ["-shared", "-fPIC", *link])


_TRUST = C_TREE / "app/trust.c"
_SIGNATURE = C_TREE / "runtime/signature.c"
_LIBRARY = "library*.c"
_APP_IN_LIBRARY = ("lids.c", "light.c", "stillness.c", "tuning.c")
_MAIN = "main.c"


def _for_silicon(name: str) -> BoardTarget:
    board = board_target(name)
    if not (C_TREE / "boards" / name / SILICON_SCRIPT).is_file():
        raise ToolchainError(f"board {name!r} has no form for silicon; it only runs emulated or on the host")
    target = replace(board.target, core=(*board.target.core, "-DPSOG_SILICON"))
    return replace(board, target=target, link=cortex_m_link(name, SILICON_SCRIPT))


def _holding(target: Target, lean: Lean | None, *definitions: str) -> Target:
    """A target with further definitions, and those that make its runtime lean."""
    return replace(target, core=(*target.core, *definitions, *(lean.definitions() if lean else ())))


def _build_program(name: str, program: str, *more: str, lean: Lean | None = None) -> Path:
    """A program of boards/common/programs on an emulated board: runtime, start-up, and more of its files."""
    board = board_target(name)
    folders = (*board.shared, f"boards/{name}")
    sources = [*_sources("runtime", *CORTEX_M_FOLDERS), _TRUST, *_program_sources(program, *more)]
    return _build(_holding(board.target, lean), f"{name}-{program}.elf", sources, board.link, folders)


def _program_sources(*names: str) -> list[Path]:
    return [C_TREE / "boards/common/programs" / f"{name}.c" for name in names]


def _sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((C_TREE / folder).glob("*.[cS]"))]


def _build(
    target: Target, output: str, sources: Sequence[Path], link: Sequence[str], folders: Sequence[str] = ()
) -> Path:
    """folders: whose headers are found, besides those of runtime, application and all boards."""
    compiler = find_program(target.compiler, target.package)
    includes = [f"-I{folder}" for folder in ("runtime", "app", "boards", *folders)]
    flags = [*_WARNINGS, *_CODE, *target.core, *includes]
    if _SIGNATURE in sources:
        flags.append(f"-isystem{monocypher_folder()}")
        link = [str(_monocypher(target)), *link]
    return _compiled(compiler, flags, sources, output, link)


def _monocypher(target: Target) -> Path:
    """Monocypher for a core, without our warnings, and with rounds of BLAKE2b as a loop: 12 KB less."""
    compiler = find_program(target.compiler, target.package)
    flags = ["-std=c99", *_CODE, *target.core, "-fPIC", "-DBLAKE2_NO_UNROLLING"]
    flags = [flag for flag in flags if not target.size.startswith("arm") or flag != "-fPIC"]
    return _compiled(compiler, flags, [monocypher_folder() / SOURCE], "monocypher.o", ["-c"])


def _compiled(
    compiler: str, flags: Sequence[str], sources: Sequence[Path], output: str, link: Sequence[str]
) -> Path:
    """What a compiler makes of sources, from the cache or into it."""
    key = _digest([run_tool([compiler, "--version"], C_TREE), *flags, *link, output], sources)
    built = cache_folder() / "firmware" / key / output
    if is_whole(built):
        return built
    built.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built.parent.parent, prefix="building-") as folder:
        partial = Path(folder) / output
        run_tool([compiler, *flags, *map(str, sources), "-o", str(partial), *link], C_TREE)
        seal(partial)
        built.parent.mkdir(exist_ok=True)
        partial.replace(built)
    return built


def _digest(words: Sequence[str], sources: Sequence[Path]) -> str:
    """Names a build: any change of flags, compiler, sources or headers, or of how it is built, changes it."""
    digest = hashlib.sha256()
    parts = [word.encode() for word in words]
    shared = sorted(path for path in C_TREE.rglob("*") if path.suffix in (".h", ".ld"))
    for path in (_RECIPE, *sources, *shared):
        parts += [path.name.encode(), path.read_bytes()]
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:24]


def run_tool(command: Sequence[str], folder: Path) -> str:
    """What a program prints, run in a folder.

    Raises:
        ToolchainError: it cannot be started, or it fails.
    """
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolchainError(f"cannot run {command[0]}: {error}") from error
    if run.returncode != 0:
        complaint = next(
            (line for line in run.stderr.splitlines() if "error" in line.lower()), run.stderr.strip()
        )
        raise ToolchainError(f"{Path(command[0]).name} failed (exit {run.returncode}): {complaint}")
    return run.stdout
