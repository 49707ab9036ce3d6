"""The site has all pages, no link that leads nowhere, what code says of itself, and needs no other server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
import yaml

from psog.cli.main import BENCHES, VERBS
from scripts.website.layout import lay_out, site_path
from scripts.website.offline import fetched
from scripts.website.reference import named
from tests.docs.pages import ROOT

DOCS = ROOT / "docs"


def in_nav(entries) -> list[str]:
    if isinstance(entries, str):
        return [entries]
    inside = entries.values() if isinstance(entries, dict) else entries
    return [page for entry in inside for page in in_nav(entry)]


def test_every_page_is_in_the_navigation_once():
    listed = in_nav(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert sorted(page for page in listed if not page.startswith("repository/")) == sorted(pages)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/link.md", "link.md"),
        ("examples/client.py", "repository/examples/client.py.md"),
        ("firmware_export/firmware/README.md", "repository/firmware_export/firmware/README.md"),
    ],
)
def test_a_file_has_one_place_in_the_site(path, expected):
    assert site_path(PurePosixPath(path)) == PurePosixPath(expected)


def test_links_that_leave_docs_lead_to_pages_and_back(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "README.md").write_text("[back](../docs/a.md) [source](b.py)\n")
    (tmp_path / "code" / "b.py").write_text("b = 1\n")
    (tmp_path / "docs" / "a.md").write_text("[it](../code/README.md#top)\n```\n[no](link.md)\n```\n")
    lay_out(tmp_path, tmp_path / "site", lambda text: text)
    readme = tmp_path / "site" / "repository" / "code" / "README.md"
    assert "[it](repository/code/README.md#top)" in (tmp_path / "site" / "a.md").read_text()
    assert readme.read_text() == "[back](../../a.md) [source](b.py.md)\n"
    assert "b = 1" in (readme.parent / "b.py.md").read_text()


def test_a_link_to_nothing_is_told_with_its_line(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("x\n[gone](gone.md)\n")
    with pytest.raises(SystemExit, match=r"docs/a\.md:2 links to gone\.md, which is no file"):
        lay_out(tmp_path, tmp_path / "site", lambda text: text)


@pytest.fixture(scope="module")
def site() -> Path:
    run = subprocess.run(
        [sys.executable, "-m", "scripts.website", "build"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return ROOT / "build" / "site"


def test_no_page_fetches_anything(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    assert {page.name: found for page in pages if (found := fetched(page.read_text("utf-8")))} == {}


def test_a_script_from_elsewhere_would_be_seen():
    assert fetched('<script src="https://a.example/b.js" defer></script>') == ["https://a.example/b.js"]


def test_every_command_and_every_public_name_is_in_the_reference(site):
    commands = (site / "commands.html").read_text("utf-8")
    missing = [verb for verb in VERBS if f"usage: psog {verb} " not in commands]
    missing += [name for name in BENCHES if f"usage: psog bench {name} " not in commands]
    python = (site / "reference.html").read_text("utf-8")
    promised = named((DOCS / "reference.md").read_text("utf-8"))
    missing += [f"{module}.{name}" for module, name in promised if f'id="{module}.{name}"' not in python]
    assert promised
    assert missing == []
