"""Building the firmware: what is missing is named, what was built is kept, and both ends agree."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from psog.device.error_codes import DeviceErrorCode
from psog.errors import ToolchainError
from psog.firmware_export import toolchain
from psog.firmware_export.boards import BOARDS
from psog.firmware_export.monocypher_source import monocypher_folder
from psog.firmware_export.toolchain import C_TREE, available_boards, build_board, build_library
from psog.virtual.boards import start_board


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """The folder of builds, with nothing in it; what comes from the network is there."""
    fetched = monocypher_folder()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shutil.copytree(fetched, tmp_path / "psog" / fetched.name)
    return tmp_path / "psog" / "firmware"


def test_error_codes_are_the_protocols():
    header = (C_TREE / "runtime" / "psog.h").read_text("utf-8")
    body = re.search(r"enum psog_error \{(.*?)\};", header, re.DOTALL)[1]
    found = {
        name.removeprefix("ERR_"): int(value) for name, value in re.findall(r"PSOG_(\w+) = (-?\d+)", body)
    }
    assert found == {code.name: code.value for code in DeviceErrorCode}


@pytest.mark.parametrize("board", BOARDS)
def test_a_missing_compiler_is_named_with_its_package(board, monkeypatch, empty_cache):
    monkeypatch.setenv("PATH", "")
    compiler = BOARDS[board].target.compiler
    with pytest.raises(ToolchainError, match=f"{compiler} is not installed; on Debian: apt-get install gcc"):
        build_board(board)
    assert available_boards() == []


@pytest.mark.skipif("mps2-an386" not in available_boards(), reason="no cross compiler is installed")
def test_a_missing_emulator_is_named_with_its_package(monkeypatch, tmp_path):
    build_board("mps2-an386")
    which = shutil.which
    monkeypatch.setattr(
        toolchain.shutil, "which", lambda name: None if name == "qemu-system-arm" else which(name)
    )
    with pytest.raises(ToolchainError, match="apt-get install qemu-system-arm"):
        start_board("mps2-an386", tmp_path / "flash")
    assert available_boards() == ["host"]


@pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")
class TestBuild:
    def test_happens_once(self, empty_cache):
        first = build_library()
        changed_ns = first.stat().st_mtime_ns
        assert build_library() == first
        assert first.stat().st_mtime_ns == changed_ns

    def test_by_many_at_once_gives_one_whole_file(self, empty_cache):
        with ThreadPoolExecutor(4) as pool:
            paths = set(pool.map(lambda _: build_library(), range(4)))
        assert len(paths) == 1
        assert paths.pop().read_bytes()[:4] == b"\x7fELF"
        assert not list(empty_cache.glob("building-*"))

    def test_that_fails_leaves_nothing_and_says_where(self, empty_cache, tmp_path):
        source = tmp_path / "broken.c"
        source.write_text("int broken(void) { return missing; }\n", "utf-8")
        with pytest.raises(ToolchainError, match=r"error: .missing. undeclared"):
            toolchain.build_program(source)
        assert not list(empty_cache.iterdir())


def test_the_runtime_keeps_no_state_and_never_allocates():
    """No writable data and no call to malloc: every buffer is the caller's."""
    library = build_library()
    sizes = subprocess.run(["nm", str(library)], capture_output=True, text=True, check=True).stdout
    ours = [line.split() for line in sizes.splitlines() if "psog_" in line]
    assert {row[-2] for row in ours} == {"T"}
    assert "malloc" not in sizes


@pytest.mark.parametrize("path", sorted(C_TREE.rglob("*.[ch]")), ids=lambda path: path.name)
def test_a_c_file_is_short_and_narrow(path: Path):
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) < 300
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize("damage", ["empty", "a part", "a changed byte"])
def test_a_build_that_was_damaged_is_made_again(empty_cache, damage):
    built = build_library()
    whole = built.read_bytes()
    changed = whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]
    built.write_bytes({"empty": b"", "a part": whole[:4000], "a changed byte": changed}[damage])
    assert build_library() == built
    assert built.read_bytes() == whole
