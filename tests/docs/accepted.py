"""Whether a command of a page is one: its verb exists, and the real parser takes its words."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from psog.cli.main import BENCHES, VERBS, parse
from psog.errors import PsogError
from scripts.website.reference import help_text
from tests.docs.pages import ROOT

FOREIGN = re.compile(
    r"apt-get|arm-none-eabi-\w+|cd|cmake|cp|dask|git|ls|openocd|pyocd|sed|source|sudo|build/.*"
)
"""Programs of others that pages name; their words cannot be checked here."""
SHELL = (">", "<", "|")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
TARGETS = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def fault(words: Sequence[str]) -> str | None:
    """What is wrong with a command; None if nothing that can be told without running it."""
    program, *rest = until_the_shell(words)
    program = program.removeprefix(".venv/bin/")
    if program in ("psog", "psog-calibrate"):
        return _psog_fault(program, rest)
    if program in OTHERS:
        return OTHERS[program](rest)
    return None if FOREIGN.fullmatch(program) else f"no program {program} is known here"


def until_the_shell(words: Sequence[str]) -> Sequence[str]:
    """The words before a pipe or a redirection."""
    return words[: next((i for i, word in enumerate(words) if word in SHELL), len(words))]


def _make_fault(words: Sequence[str]) -> str | None:
    if words[0] == "-f":  # another project's makefile
        return None
    return next((f"no target {word}" for word in words if "=" not in word and word not in TARGETS), None)


def _pip_fault(words: Sequence[str]) -> str | None:
    asked = ",".join(re.findall(r"psog\[([\w,]+)\]", " ".join(words))).split(",")
    return next((f"no extra {extra}" for extra in asked if extra and extra not in EXTRAS), None)


def _python_fault(words: Sequence[str]) -> str | None:
    if words[0] == "-c":
        ast.parse(words[1])
        return None
    if words[:2] == ["-m", "psog"]:
        return _psog_fault("psog", words[2:])
    if words[0] == "-m":
        return None if importlib.util.find_spec(words[1]) else f"no module {words[1]}"
    is_ours = not words[0].startswith("tensorflow/")
    return f"no file {words[0]}" if is_ours and not (ROOT / words[0]).exists() else None


OTHERS: dict[str, Callable[[Sequence[str]], str | None]] = {
    "make": _make_fault,
    "pip": _pip_fault,
    "python": _python_fault,
    "python3": _python_fault,
    "torchrun": lambda words: _python_fault(words[words.index("-m") :]),
}


def module_of(program: str, words: Sequence[str]) -> tuple[str, list[str]] | str:
    """The module that has the command, and the words left for it; or what is wrong."""
    if program == "psog-calibrate":
        return "psog.cli.calibrate", list(words)
    table, name, left = VERBS, words[0] if words else "", list(words[1:])
    if name == "bench":
        table, name, left = BENCHES, left[0] if left else "", left[1:]
    return (table[name].module, left) if name in table else f"no verb {name!r}"


def _psog_fault(program: str, words: Sequence[str]) -> str | None:
    found = module_of(program, words)
    if isinstance(found, str):
        return found
    module, left = found
    try:
        parse(importlib.import_module(module).Command, left, program)
    except PsogError as error:
        return str(error)
    return None


def unknown_flags(program: str, words: Sequence[str]) -> list[str]:
    """Flags of a command in a sentence, where the rest of it may be left out, that its verb does not have."""
    found = module_of(program, words)
    if isinstance(found, str):
        return [found]
    verb = words[:2] if words[0] == "bench" else words[:1]
    known = help_text("psog.cli.main", *verb) if program == "psog" else help_text("psog.cli.calibrate")
    flags = [word.partition("=")[0] for word in words if re.match(r"--\w", word)]
    return [flag for flag in flags if not re.search(rf"{flag}\b(?!-)", known)]


def expanded(words: Sequence[str]) -> list[str]:
    """As a shell does: what has a * stands for the files of that name."""
    here = Path()
    return [name for word in words for name in (sorted(map(str, here.glob(word))) if "*" in word else [word])]
