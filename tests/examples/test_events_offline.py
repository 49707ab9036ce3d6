"""`examples/events_offline.py`: a recording's events by pymovements."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from psog.recording import Recording, write_recording
from psog.sim.saccades import draw_saccade
from psog.sim.streams import stream

pytest.importorskip(
    "pymovements", reason="pymovements brings 100 MB of packages, so it is not installed for the tests"
)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "events_offline.py"


def example(*words: str) -> tuple[int, list[str], str]:
    run = subprocess.run([sys.executable, str(EXAMPLE), *words], capture_output=True, text=True, timeout=120)
    return run.returncode, run.stdout.splitlines(), run.stderr


def test_saccades_between_places_are_found(tmp_path):
    random = stream(1, "tests/examples")
    t_s = np.arange(500) / 1000
    places = [np.zeros(2), np.array([10.0, 0.0]), np.array([10.0, -6.0])]
    parts = [draw_saccade(random, a, b).at(t_s) for a, b in pairwise(places)]
    gaze_deg = np.concatenate([np.zeros((500, 2)), *parts]) + 0.1 * random.standard_normal((1500, 2))
    columns = {
        "gaze_h_deg": gaze_deg[:, 0].astype(np.float32),
        "gaze_v_deg": gaze_deg[:, 1].astype(np.float32),
    }
    t_us = 5_000_000 + 1000 * np.arange(1500, dtype=np.int64)
    write_recording(Recording("ring16", t_us, np.zeros((1500, 16), np.float32), columns), tmp_path / "r")
    code, lines, err = example(str(tmp_path / "r"))
    assert (code, err) == (0, "")
    assert lines[0] == "name,onset_ms,offset_ms,duration_ms"
    events = [line.split(",") for line in lines[1:]]
    large = [int(onset) for name, onset, _, duration in events if name == "saccade" and int(duration) > 25]
    assert large == pytest.approx([500, 1000], abs=20)


def test_what_is_no_recording_is_one_line(tmp_path):
    code, lines, err = example(str(tmp_path))
    assert (code, lines) == (1, [])
    assert err.startswith("events_offline: ")
    assert len(err.splitlines()) == 1
