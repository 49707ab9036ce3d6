"""Monocypher's source comes from one known package, or not at all."""

import io
import shutil
import tarfile

import pytest

from psog.errors import ToolchainError
from psog.firmware_export import monocypher_source
from psog.firmware_export.monocypher_source import VERSION, monocypher_folder

PACKAGE = f"pymonocypher-{VERSION}"


@pytest.fixture(scope="module")
def known():
    return monocypher_folder()


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """An empty cache and no network; the folder where the source belongs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    return tmp_path / "psog" / f"monocypher-{VERSION}"


def archive(path, files):
    """A package that holds these files."""
    with tarfile.open(path, "w:gz") as package:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))


def test_without_a_network_the_command_that_fetches_it_is_named(offline):
    with pytest.raises(ToolchainError) as caught:
        monocypher_folder()
    told = str(caught.value)
    assert "\n" not in told
    command = f"-m pip download --no-deps --no-binary pymonocypher --dest {offline} pymonocypher=={VERSION}"
    assert told.endswith(command)
    assert list(offline.iterdir()) == []


def test_another_package_of_that_name_is_not_opened(offline):
    offline.mkdir(parents=True)
    archive(offline / f"{PACKAGE}.tar.gz", {f"{PACKAGE}/monocypher.c": b"int x;"})
    with pytest.raises(ToolchainError, match="could not be fetched"):
        monocypher_folder()
    assert [path.name for path in offline.iterdir()] == [f"{PACKAGE}.tar.gz"]


def test_a_file_that_is_not_the_known_one_is_not_used(offline, monkeypatch):
    offline.mkdir(parents=True)
    package = offline / f"{PACKAGE}.tar.gz"
    archive(package, {f"{PACKAGE}/monocypher.c": b"int x;", "../../evil": b""})
    monkeypatch.setattr(monocypher_source, "_PACKAGE_SHA256", monocypher_source._sha256(package))
    with pytest.raises(ToolchainError, match=r"monocypher\.c in .* is not the one expected"):
        monocypher_folder()
    assert [path.name for path in offline.iterdir()] == [package.name]


def test_what_was_damaged_is_not_used(known, offline):
    shutil.copytree(known, offline)
    assert monocypher_folder() == offline
    with (offline / "monocypher.h").open("a") as file:
        file.write("\n")
    with pytest.raises(ToolchainError, match="could not be fetched"):
        monocypher_folder()


def test_pip_checks_the_package_before_it_runs_what_is_inside(offline, tmp_path, monkeypatch):
    index, mark = tmp_path / "index", tmp_path / "was run"
    index.mkdir()
    setup = f"open({str(mark)!r}, 'w')\nimport setuptools\nsetuptools.setup()\n".encode()
    archive(index / f"{PACKAGE}.tar.gz", {f"{PACKAGE}/setup.py": setup})
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # which is how pip spells yes
    with pytest.raises(ToolchainError, match="could not be fetched"):
        monocypher_folder()
    assert not mark.exists()
