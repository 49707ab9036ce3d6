"""Episodes that the processes of one computer share: one makes them, all map the same memory."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from psog.episodes import Episodes
from psog.net.processes import Team

_ARRAYS = ("readings", "gaze_deg", "openness", "noise_counts")


def shared_episodes(team: Team, make: Callable[[], Episodes]) -> Episodes:
    """What `make` gives, made by the first process alone.

    It passes through files that are deleted as soon as all have mapped them; the memory is the system's
    cache of them, once for all processes.

    Raises:
        LostProcessError: another process has ended.
    """
    if team.size == 1:
        return make()
    folder = Path(tempfile.mkdtemp(prefix="psog-")) if team.first else Path()
    try:
        if team.first:
            _write(folder, make())
        found = _map(Path(team.text_of_first(str(folder))))
        team.wait()
    finally:
        if team.first:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _write(folder: Path, episodes: Episodes) -> None:
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(episodes, name))
    about = {"headset": episodes.headset, "seed": episodes.seed}
    (folder / "about.json").write_text(json.dumps(about), "utf-8")


def _map(folder: Path) -> Episodes:
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="c") for name in _ARRAYS}
    return Episodes(**arrays, **json.loads((folder / "about.json").read_text("utf-8")))
