"""A virtual headset is found as long as its process lives, by its user alone."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from psog.device.running import Running, announced, running, runtime_folder
from psog.errors import LinkError

ONE = Running("/dev/pts/7", "host", "ring16")
OTHER = Running("/dev/pts/8", "mps2-an386", "grid15")


def test_those_that_run_are_found_by_port(tmp_path):
    with announced(tmp_path, OTHER), announced(tmp_path, ONE):
        assert running(tmp_path) == [ONE, OTHER]
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_vanishes(tmp_path):
    code = (
        "import os, sys; from pathlib import Path\n"
        "from psog.device.running import *\n"
        "with announced(Path(sys.argv[1]), Running('/dev/pts/7', 'host', 'ring16')):\n"
        "    print('there', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        assert running(tmp_path) == [ONE]
        process.kill()
    assert len(list(tmp_path.iterdir())) == 1
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"port": 3}', b"[" * 4000, b"\xff"])
def test_a_file_of_something_else_is_passed_over(tmp_path, content):
    with announced(tmp_path, ONE):
        (path,) = tmp_path.iterdir()
        path.write_bytes(content)
        assert running(tmp_path) == []


def test_a_folder_that_others_may_write_to_is_not_believed(tmp_path):
    (tmp_path / "1-7.json").write_text(json.dumps(ONE._asdict()))
    tmp_path.chmod(0o777)
    assert running(tmp_path) == []
    assert (tmp_path / "1-7.json").exists()
    with pytest.raises(LinkError, match="not this user's alone"), announced(tmp_path, ONE):
        pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LinkError, match="cannot announce /dev/pts/7"), announced(tmp_path / "file", ONE):
        pass


def test_the_folder_is_the_systems_for_running_things_where_there_is_one(tmp_path):
    assert runtime_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "psog"
    assert runtime_folder({"XDG_RUNTIME_DIR": str(tmp_path / "gone")}) == runtime_folder({})
