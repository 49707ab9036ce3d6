"""Monocypher's C source, with which the firmware checks signatures.

It is not part of psog: pip fetches the source package of pymonocypher, once, into the cache, and it is used
only as the version that is known here by its SHA-256. This does it ahead of time:

    python -m psog.firmware_export.monocypher_source
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from psog.cache import cache_folder
from psog.errors import ToolchainError

VERSION = "4.0.3.4"
SOURCE = "monocypher.c"
_PACKAGE = f"pymonocypher-{VERSION}"
_PACKAGE_SHA256 = "5e56e3d3eb770a53e0b9f6274146663c11a11f3d0de5cd48e3be0428d1b07a4a"
_SHA256 = {
    SOURCE: "57eb914fc88136119bd41655cccb8c250048bf54d470540625186f8ab16f64be",
    "monocypher.h": "c494da712122da7ff679fdcf318a5317e84972b6c950fe9d896212947797facd",
}
_LARGEST_BYTES = 1 << 20
_TIME_LIMIT_S = 300.0


def monocypher_folder() -> Path:
    """The folder with monocypher.c and monocypher.h, exactly the known ones; fetched if they are not there.

    Raises:
        ToolchainError: they cannot be fetched; says with which command they can once there is a network.
    """
    folder = cache_folder() / f"monocypher-{VERSION}"
    if not _is_whole(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as partial:
            _extract(_package(folder, Path(partial)), folder, Path(partial))
    return folder


def _is_whole(folder: Path) -> bool:
    return all(_sha256(folder / name) == expected for name, expected in _SHA256.items())


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _package(folder: Path, partial: Path) -> Path:
    """The source package: one that a user put into the folder, else downloaded into `partial`."""
    given = folder / f"{_PACKAGE}.tar.gz"
    if _sha256(given) == _PACKAGE_SHA256:
        return given
    package = partial / given.name
    wanted = (
        partial / "wanted.txt"
    )  # with the hash, pip looks at nothing in the package before it has checked
    wanted.write_text(f"pymonocypher=={VERSION} --hash=sha256:{_PACKAGE_SHA256}\n", "ascii")
    pip = ["-m", "pip", "download", "--no-deps", "--no-binary", "pymonocypher"]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    try:
        run = subprocess.run(
            [sys.executable, *pip, *quiet, "--dest", str(partial), "--requirement", str(wanted)],
            capture_output=True,
            text=True,
            timeout=_TIME_LIMIT_S,
            check=False,
        )
        complaint = run.stderr.strip().rpartition("\n")[2]
    except (OSError, subprocess.TimeoutExpired) as error:
        complaint = str(error)
    if _sha256(package) != _PACKAGE_SHA256:
        command = " ".join([sys.executable, *pip, "--dest", str(folder), f"pymonocypher=={VERSION}"])
        raise ToolchainError(
            f"firmware checks signatures with Monocypher, and its source could not be fetched: "
            f"{complaint or 'another package came'}; with a network, run: {command}"
        )
    return package


def _extract(package: Path, folder: Path, partial: Path) -> None:
    """Take the two files out of the package, each complete or not at all."""
    with tarfile.open(package) as archive:
        for name, expected in _SHA256.items():
            member = archive.getmember(f"{_PACKAGE}/{name}")
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                raise ToolchainError(f"{package.name} holds no file {name}")
            file = partial / name
            file.write_bytes(content.read(_LARGEST_BYTES))
            if _sha256(file) != expected:
                raise ToolchainError(f"{name} in {package.name} is not the one expected")
            file.replace(folder / name)


if __name__ == "__main__":
    try:
        monocypher_folder()
    except ToolchainError as error:
        sys.exit(str(error))
