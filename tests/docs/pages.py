"""Takes the blocks of commands and of Python out of a page, with what the comments above them say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)$")
_COMMENT = re.compile(r"<!-- tested:(.*?)-->\s*\Z", re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Command:
    """One command as it stands in a page, and what is done with it in the test."""

    place: str
    """Page and line."""
    text: str
    """Without the remark after `#`."""
    skipped: str | None
    """Why it is not run; None if it is."""
    added: str = ""
    """Words that the test adds to it."""
    replaced: tuple[tuple[str, str], ...] = ()
    """(words as they stand in the page, what they stand for in the test)."""
    endless: bool = False
    """Runs until Ctrl-C, which the test sends once it has printed something."""

    @property
    def meant(self) -> str:
        """As it is parsed and run."""
        text = self.text + self.added
        for stands, meant in self.replaced:
            text = text.replace(stands, meant)
        return text

    @property
    def words(self) -> list[str]:
        return shlex.split(self.meant, comments=True)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: after the fence; may be empty.
        lines: what stands in it.
        comment: of the comment above that begins with `tested:`, the rest.
    """

    page: Path
    line: int
    language: str
    lines: list[str]
    comment: str = ""
    rules: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", [] if self.language == "python" else _rules(self.comment))

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[Command]:
        """Those of a console block.

        Raises:
            ValueError: a line of the comment speaks of no command here.
        """
        found = [self._command(number, text) for number, text in self._typed()]
        for beginning, verdict in self.rules:
            if beginning == "first":
                continue
            if not any(
                c.text.startswith(beginning) or (verdict[:3] == "is " and beginning in c.text) for c in found
            ):
                raise ValueError(f"{self.place}: no command begins with {beginning!r}")
        return found

    def first(self) -> list[Command]:
        """What the test runs before."""
        return [Command(self.place, text, None) for beginning, text in self.rules if beginning == "first"]

    def _typed(self) -> Iterator[tuple[int, str]]:
        lines = iter(enumerate(self.lines, start=self.line + 1))
        for number, line in lines:
            if line.startswith("$ "):
                text = line[2:]
                while text.endswith("\\"):
                    text = text[:-1] + next(lines)[1]
                yield number, re.sub(r"\s+# .*$", "", text).strip()

    def _command(self, number: int, text: str) -> Command:
        skipped, added, replaced, endless = None, "", [], False
        for beginning, verdict in self.rules:
            what, _, rest = verdict.partition(" ")
            if what == "is":
                replaced.append((beginning, rest))
            elif beginning == "first" or not text.startswith(beginning):
                continue
            elif what == "with":
                added += " " + rest
            elif what == "stopped,":
                endless = True
            else:
                skipped = rest.removeprefix("run, ")
        place = f"{self.page.relative_to(ROOT)}:{number}"
        return Command(place, text, skipped, added, tuple(replaced), endless)


def _rules(comment: str) -> list[tuple[str, str]]:
    """The comment's lines: what each speaks of, and what it says; see tests/docs/__init__.py."""
    rules = []
    for line in filter(None, map(str.strip, comment.splitlines())):
        match = re.fullmatch(r"(?:(.*?): )?((?:not run, |with |stopped, ).+)", line) or re.fullmatch(
            r"(.+?) (is .+)", line
        )
        if line.startswith("first: "):
            rules.append(("first", line.removeprefix("first: ")))
        elif match:
            rules.append((match[1] or "", match[2]))
        else:
            raise ValueError(f"not understood: {line!r}; see tests/docs/__init__.py")
    return rules


def blocks(page: Path) -> list[Block]:
    found, before, lines = [], "", page.read_text("utf-8").splitlines()
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if not fence:
            before += lines[number] + "\n"
            number += 1
            continue
        end = lines.index("```", number + 1)
        comment = _COMMENT.search(before)
        inside = lines[number + 1 : end]
        found.append(Block(page, number + 1, fence[1], inside, comment[1].strip() if comment else ""))
        before, number = "", end + 1
    return found


def spans(page: Path) -> Iterator[tuple[str, str]]:
    """(place, text) of what stands between backticks in a page's sentences and tables."""
    fenced = False
    for number, line in enumerate(page.read_text("utf-8").splitlines(), start=1):
        fenced ^= line.startswith("```")
        if not fenced:
            for text in _SPAN.findall(line):
                yield f"{page.relative_to(ROOT)}:{number}", text
