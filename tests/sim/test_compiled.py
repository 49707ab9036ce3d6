"""The kernels' machine code: what is missing is named, and a damaged cache is made again."""

import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from psog.errors import ToolchainError
from psog.sim import compiled as compiled_module
from psog.sim.compiled import compiled
from psog.sim.native import library

ACROSS = 8
"""Sensors, rounded up; any machine code will do."""

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler is installed")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A cache with machine code in it."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        compiled(ACROSS)
    return folder


@pytest.fixture
def cache(whole, tmp_path, monkeypatch):
    """A copy of it, in use; what a test loads from it is forgotten afterwards."""
    folder = tmp_path / "cache"
    shutil.copytree(whole, folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    library.cache_clear()
    yield folder
    library.cache_clear()


def only_file(folder):
    (path,) = (found for found in folder.rglob("*") if found.is_file())
    return path


def program(folder, name, text):
    """An executable shell script; a PATH of its folder, then the usual one."""
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_the_command_names_the_package_of_a_missing_compiler(tmp_path):
    environment = {**os.environ, "PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = ["simulate", "ring16", "--seconds", "0.05", "--out", str(tmp_path / "made")]
    run = subprocess.run(
        [sys.executable, "-m", "psog", *words], env=environment, capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "there is no gcc; apt-get install gcc libc6-dev" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_missing_headers_are_told_with_their_package(tmp_path, monkeypatch):
    """Debian's gcc only recommends them; -nostdinc stands for a system without."""
    monkeypatch.setenv("PATH", program(tmp_path / "bin", "gcc", f'exec {shutil.which("gcc")} -nostdinc "$@"'))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ToolchainError, match=r"No such file or directory; apt-get .*libc6-dev") as told:
        compiled(ACROSS)
    assert "\n" not in str(told.value)
    assert list((tmp_path / "cache" / "psog" / "simulator").iterdir()) == []


def test_a_compiler_that_fails_without_a_word_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", program(tmp_path / "bin", "gcc", "exit 3"))
    with pytest.raises(ToolchainError, match=r"exit 3\): it does not say why$"):
        compiled(ACROSS)


def test_the_compiler_speaks_english_whatever_the_user_does(tmp_path, monkeypatch):
    """A name that depended on the language would be another one for a worker with another language."""
    text = 'if [ "$LC_ALL" = C ]; then echo "error: in English"; else echo "auf Deutsch"; fi >&2; exit 1'
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PATH", program(tmp_path / "bin", "gcc", text))
    with pytest.raises(ToolchainError, match=r"error: in English$"):
        compiled(ACROSS)


def test_a_cache_that_cannot_be_written_is_told_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ToolchainError, match=r"Not a directory; set XDG_CACHE_HOME") as told:
        compiled(ACROSS)
    assert "\n" not in str(told.value)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    def nobody(_):
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(ToolchainError, match=r"no home folder.*set XDG_CACHE_HOME"):
        compiled(ACROSS)


def test_machine_code_from_the_cache_is_used_as_it_is(cache):
    before = only_file(cache).stat()
    assert library(ACROSS).psog_render
    after = only_file(cache).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    "damage",
    [
        lambda code: b"",
        lambda code: code[: len(code) // 2],  # a library that can be loaded, and then ends the program
        lambda code: code[:-40] + bytes([code[-40] ^ 1]) + code[-39:],
    ],
    ids=["empty", "half", "one bit"],
)
def test_damaged_machine_code_is_made_again(damage, cache):
    path = only_file(cache)
    code = path.read_bytes()
    path.write_bytes(damage(code))
    assert library(ACROSS).psog_render
    assert only_file(cache).read_bytes() == code


def test_machine_code_that_the_system_does_not_load_is_told_in_one_line(cache):
    """As from a disk whose programs may not be run; this is no program at all."""
    path = only_file(cache)
    path.write_bytes(b"nothing" + hashlib.sha256(b"nothing").digest())
    with pytest.raises(
        ToolchainError, match=r"cannot load the compiled simulator: .*set XDG_CACHE_HOME"
    ) as told:
        library(ACROSS)
    assert "\n" not in str(told.value)


def test_another_way_of_making_it_has_another_name(tmp_path, monkeypatch):
    """Else a cache goes on giving what an earlier version of psog made."""
    usual = compiled_module.build_name(ACROSS)
    assert compiled_module.build_name(ACROSS) == usual
    changed = tmp_path / "compiled.py"
    changed.write_text(compiled_module._RECIPE.read_text("utf-8") + "\n")
    monkeypatch.setattr(compiled_module, "_RECIPE", changed)
    assert compiled_module.build_name(ACROSS) != usual


def test_loading_it_leaves_subnormal_numbers_to_the_process(whole):
    """Code linked with -ffast-math would turn them to zero from then on, in numpy and in everything else."""
    program = (
        "import sys; from psog.sim.native import library; "
        f"library({ACROSS}); print(sys.float_info.min / 2 > 0)"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(whole)}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.stdout == "True\n", run.stderr
