"""The folder in which a page's commands run: what their readers would have by then, only smaller.

The repository's folders; `model`, the shipped one of ring16; `recording`, and the same under the other names
that pages use; `trace.npy`; and where a page needs it, a virtual headset with a wearer, at $PORT and found by
itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from psog.cli.main import main
from tests.docs.accepted import expanded
from tests.docs.pages import ROOT, Command

REPOSITORY = ("docs", "examples", "firmware_export", "psog", "scripts", "tests", "Makefile", "pyproject.toml")
RECORDINGS = ("recording", "recordings/one", "recordings/two", "day1", "day2", "others")
SECONDS = 12
"""Of the recording: enough to calibrate its wearer in the first part and to judge the rest."""


def furnish(folder: Path) -> None:
    """Make what the module says in an empty folder."""
    for name in REPOSITORY:
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "psog" / "models" / "ring16", folder / "model")
    np.save(folder / "trace.npy", _trace())
    words = ["simulate", "ring16", "--users", "1", "--seconds", str(SECONDS), "--workers", "1", "--out"]
    main([*words, str(folder / "recording")])
    for name in RECORDINGS[1:]:
        shutil.copytree(folder / "recording", folder / name)


def _trace() -> np.ndarray:
    """Two seconds of gaze as the `irf` repository stores it."""
    t_s = np.arange(0, 2, 0.01)
    trace = np.zeros(t_s.size, [("t", "f8"), ("x", "f4"), ("y", "f4"), ("status", "?"), ("evt", "u1")])
    trace["t"], trace["x"], trace["y"] = t_s, 8 * np.sin(t_s), 5 * np.cos(2 * t_s)
    trace["status"], trace["evt"] = True, 1
    return trace


def run(command: Command) -> None:
    """Run it in the current folder; psog in this process, which is quicker than starting another.

    Raises:
        AssertionError: it did not end with 0.
    """
    if command.endless:
        return _run_until_it_speaks(command)
    program, *rest = expanded([os.path.expandvars(word) for word in command.words])
    try:
        if program == "psog":
            main(rest)
        elif program == "psog-calibrate":
            from psog.cli.calibrate import main as calibrate

            calibrate(rest)
        else:
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            subprocess.run(
                ["bash", "-c", command.meant], check=True, env={**os.environ, "PATH": path}, timeout=60
            )
    except SystemExit as stop:
        assert stop.code in (0, None), f"{command.place}: {command.text}\n{stop.code}"


def _run_until_it_speaks(command: Command) -> None:
    words = [sys.executable, "-m", "psog", *command.words[1:]]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        said = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        watchdog.cancel()
    assert said and process.returncode in (0, 130), f"{command.place}: {command.text}\n{errors}"


@contextmanager
def worn_headset(runtime: Path) -> Iterator[str]:
    """A virtual headset with a wearer, announced as `psog virtual` does; its port."""
    from psog.device.running import Running, announced
    from psog.firmware_export.image_file import load_image
    from psog.headset import load_headset
    from psog.virtual.headset import VirtualHeadset
    from psog.virtual.wearer import Wearer

    headset = load_headset("ring16")
    image = load_image(ROOT / "psog" / "models" / "ring16", headset)
    with (
        VirtualHeadset("host", Wearer(headset, 1000), image=image) as virtual,
        announced(runtime / "psog", Running(virtual.port, "host", "ring16")),
    ):
        yield virtual.port
