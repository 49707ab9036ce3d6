"""The files of a page, from the package that it comes with. Nothing else can be asked for."""

from __future__ import annotations

from importlib import resources
from typing import NamedTuple

SHARED = "psog.web.page"
"""Package of what all pages share; they find it under shared/."""

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Asset(NamedTuple):
    """A file and its media type."""

    content: bytes
    kind: str


def load_assets(package: str) -> dict[str, Asset]:
    """Every file of a page by its path below the page's address; "" is index.html.

    Args:
        package: dotted name of the package whose folder holds the page (no folders in it).
    """
    found = {f"shared/{name}": asset for name, asset in _assets_of(SHARED).items()}
    found |= _assets_of(package)
    if "index.html" in found:
        found[""] = found["index.html"]
    return found


def _assets_of(package: str) -> dict[str, Asset]:
    files = [entry for entry in resources.files(package).iterdir() if entry.is_file()]
    named = {entry.name: entry for entry in files if f".{entry.name.rpartition('.')[2]}" in _KINDS}
    return {
        name: Asset(entry.read_bytes(), _KINDS[f".{name.rpartition('.')[2]}"])
        for name, entry in named.items()
    }
