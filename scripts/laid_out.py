"""psog's folders as they are imported, for tools that read files and not what setuptools makes of them."""

import tomllib
from pathlib import Path


def lay_out_package(root: Path, view: Path) -> None:
    """Links below `view` that look the way an installed psog does.

    The folders sim/, calibration/, … are subpackages of psog by setuptools' package-dir.
    """
    setuptools = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    package = view / "psog"
    package.mkdir(parents=True, exist_ok=True)
    links = {entry.name: entry for entry in (root / "psog").iterdir() if entry.name != "__pycache__"}
    for name, folder in setuptools["package-dir"].items():
        if name.startswith("psog."):
            links[name.removeprefix("psog.")] = root / folder
    for old in package.iterdir():
        old.unlink()
    for name, target in links.items():
        (package / name).symlink_to(target)
