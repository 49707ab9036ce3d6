"""What a page has from the code: docstrings, and what commands say of themselves.

At `<!-- reference: psog.device.client: Client, open_headset -->` the docstrings of these names stand in the
site, at `<!-- commands -->` the --help of every command. A reader of the Markdown sees neither.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
from functools import lru_cache
from unittest import mock

REFERENCE = re.compile(r"^<!-- reference: ([\w.]+): ([\w, ]+) -->$", re.MULTILINE)
COMMANDS = "<!-- commands -->"
COLUMNS = 96
"""Of the help texts: what the site's column of text holds."""


def filled(text: str) -> str:
    """The page with its generated parts in."""
    text = REFERENCE.sub(lambda match: _docstrings(match[1], match[2].split(",")), text)
    return text.replace(COMMANDS, help_of_all_commands()) if COMMANDS in text else text


def named(text: str) -> list[tuple[str, str]]:
    """(module, name) of everything whose docstring the page shows."""
    return [(module, name.strip()) for module, names in REFERENCE.findall(text) for name in names.split(",")]


def _docstrings(module: str, names: list[str]) -> str:
    return "\n\n".join(f"::: {module}.{name.strip()}" for name in names)


def help_of_all_commands() -> str:
    from psog.cli.main import BENCHES, VERBS

    texts = {"psog-calibrate": help_text("psog.cli.calibrate")}
    texts |= {f"psog {verb}": help_text("psog.cli.main", verb) for verb in VERBS}
    texts |= {f"psog bench {name}": help_text("psog.cli.main", "bench", name) for name in BENCHES}
    return "\n".join(f"## {command}\n```text\n{text}\n```\n" for command, text in texts.items())


@lru_cache
def help_text(module: str, *words: str) -> str:
    """What the command says of itself with --help."""
    out = io.StringIO()
    width = mock.patch.dict(os.environ, {"COLUMNS": str(COLUMNS), "NO_COLOR": "1"})
    with width, contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        importlib.import_module(module).main([*words, "--help"])
    return out.getvalue().strip()
