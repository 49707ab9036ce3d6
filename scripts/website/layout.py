"""Lays docs/ out for the site generator, so that every link leads somewhere inside the site.

A page may link to a file outside docs/ (a README, a source file). In the repository such a link works as it
stands; for the site the file becomes a page of its own, below `repository/`.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
FENCE = re.compile(r"^\s*(```|~~~)")
LANGUAGES = {".py": "python", ".c": "c", ".h": "c", ".toml": "toml", ".js": "javascript"}


def lay_out(root: Path, to: Path, filled: Callable[[str], str]) -> None:
    """Write the pages of `root`/docs, and those that they link to, into the folder `to`, made anew.

    Args:
        filled: puts a page's generated parts in.
    Raises:
        SystemExit: a link to a file that is not there.
    """
    shutil.rmtree(to, ignore_errors=True)
    docs = root / "docs"
    waiting = [PurePosixPath(path.relative_to(root).as_posix()) for path in sorted(docs.rglob("*.md"))]
    seen = set(waiting)
    while waiting:
        page = waiting.pop()
        text = (root / page).read_text("utf-8")
        if page.suffix == ".md":
            text, linked = _for_the_site(text, page, root)
            waiting += sorted(linked - seen)
            seen |= linked
            text = filled(text)
        else:
            text = f"# {page}\n````{LANGUAGES.get(page.suffix, 'text')}\n{text}\n````\n"
        place = to / site_path(page)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    for path in docs.rglob("*"):
        if path.is_file() and path.suffix != ".md":
            place = to / path.relative_to(docs)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def site_path(path: PurePosixPath) -> PurePosixPath:
    """Where a file of the repository lies in the site's sources."""
    if path.parts[0] == "docs":
        return path.relative_to("docs")
    inside = PurePosixPath("repository") / path
    return inside if path.suffix == ".md" else inside.with_name(inside.name + ".md")


def links(text: str) -> Iterator[tuple[int, str]]:
    """The relative links of a page, outside its blocks of code, with their line numbers from 1."""
    for number, line in _prose(text):
        for link in LINK.findall(line):
            if "://" not in link and not link.startswith(("#", "mailto:")):
                yield number, link


def _prose(text: str) -> Iterator[tuple[int, str]]:
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def _for_the_site(text: str, page: PurePosixPath, root: Path) -> tuple[str, set[PurePosixPath]]:
    """The page with its links as the site has them, and the files outside docs/ that it links to."""
    lines = text.splitlines()
    outside = set()
    for number, link in links(text):
        path, _, anchor = link.partition("#")
        target = PurePosixPath(posixpath.normpath(page.parent / path))
        if not (root / target).is_file():
            raise SystemExit(f"{page}:{number} links to {link}, which is no file of the repository")
        if target.parts[0] != "docs":
            outside.add(target)
        here = site_path(page).parent
        new = os.path.relpath(site_path(target), here) + (f"#{anchor}" if anchor else "")
        lines[number - 1] = lines[number - 1].replace(f"]({link})", f"]({new})")
    return "\n".join(lines) + "\n", outside
