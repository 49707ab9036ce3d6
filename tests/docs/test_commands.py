"""The commands in docs/ and in the README are what psog has, and do what they are there for."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.docs.accepted import fault, unknown_flags
from tests.docs.pages import PAGES, blocks, spans
from tests.docs.world import run, worn_headset

CONSOLE = {page: [b for b in blocks(page) if b.language == "console"] for page in PAGES}
RUN = [page for page in PAGES if any(not c.skipped for b in CONSOLE[page] for c in b.commands())]
NOT_A_COMMAND = {"psog development key: not secret"}
"""Between backticks, and no command."""


def name(page):
    return page.name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_is_one_and_its_flags_are_accepted(page):
    commands = [c for block in CONSOLE[page] for c in block.commands()]
    assert {c.place: c.text + " → " + f for c in commands if (f := fault(c.words))} == {}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_command_in_a_sentence_has_the_flags_that_the_sentence_says(page):
    said = [(place, text, text.split()) for place, text in spans(page) if text not in NOT_A_COMMAND]
    wrong = {}
    for place, text, (program, *words) in (s for s in said if s[2]):
        if program == "make" and words and fault([program, *words]):
            wrong[place] = text
        is_psog = program in ("psog", "psog-calibrate") and words and words != ["bench"]
        if is_psog and not words[-1].isupper() and (unknown := unknown_flags(program, words)):
            wrong[place] = f"{text}: {unknown}"
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_stand_in_console_blocks(page):
    """Where they are found by these tests."""
    elsewhere = [
        f"{block.place}: {line}"
        for block in blocks(page)
        if block.language in ("", "sh", "bash", "shell")
        for line in block.lines
        if line.startswith(("psog ", "psog-calibrate", "make ", "pip ", "$ "))
    ]
    assert elsewhere == []


@pytest.mark.parametrize("page", RUN, ids=name)
def test_every_command_that_is_not_marked_runs(page, furnished, tmp_path, monkeypatch, one_thread):
    place = tmp_path / "place"
    shutil.copytree(furnished, place, symlinks=True)
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    commands = [c for block in CONSOLE[page] for c in [*block.first(), *block.commands()] if not c.skipped]
    needs_headset = any("PORT" in c.meant for c in commands)
    if not needs_headset:
        for command in commands:
            run(command)
        return
    with worn_headset(tmp_path) as port:
        monkeypatch.setitem(os.environ, "PORT", port)
        for command in commands:
            run(command)
