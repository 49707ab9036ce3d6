"""The Python in docs/ runs, or at least what it imports and calls exists."""

from __future__ import annotations

import ast
import contextlib
import importlib
import shutil

import pytest

from tests.docs.pages import PAGES, Block, blocks
from tests.docs.world import worn_headset

PYTHON = [block for page in PAGES for block in blocks(page) if block.language == "python"]
RUN = [block for block in PYTHON if not block.comment.startswith("not run, ")]


def name(block: Block) -> str:
    return f"{block.page.name}:{block.line}"


def missing_names(source: str) -> list[str]:
    """What is imported from psog and does not exist, and what is taken of such modules and classes."""
    missing, known = [], {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "psog":
            module = importlib.import_module(node.module)
            for alias in node.names:
                if hasattr(module, alias.name):
                    known[alias.asname or alias.name] = getattr(module, alias.name)
                else:
                    missing.append(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.Import):
            known |= {a.asname or a.name: importlib.import_module(a.name) for a in node.names if not a.asname}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            owner = known[node.value.id]
            if not hasattr(owner, node.attr):
                missing.append(f"{node.value.id}.{node.attr}")
    return missing


@pytest.mark.parametrize("block", PYTHON, ids=name)
def test_what_is_imported_and_taken_exists(block):
    assert missing_names("\n".join(block.lines)) == []


@pytest.mark.parametrize("block", RUN, ids=name)
def test_it_runs(block, furnished, tmp_path, monkeypatch, one_thread):
    shutil.copytree(furnished, tmp_path / "place", symlinks=True)
    monkeypatch.chdir(tmp_path / "place")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    given = block.comment.removeprefix("given") if block.comment.startswith("given") else ""
    code = compile(given + "\n" + "\n".join(block.lines), block.place, "exec")
    with worn_headset(tmp_path) if block.comment == "with a headset" else contextlib.nullcontext():
        exec(code, {})
