"""A live recording says at every reading what the eye did, also after the headset was away."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest

from psog.device.messages import GazeFlag
from psog.device.reconnecting import Back, Gone
from psog.live.batch import Batch
from psog.live.finishing import recover
from psog.live.journal import place_of, read_journal
from psog.live.recorder import Recorder
from psog.recording import BLINK, FIXATION, SACCADE, read_recording
from psog.sim.streams import stream
from tests.live.rows import INFO, made_up

JUMP_MS, BLINK_MS, WHOLE_MS = 1000, 2000, 3000
"""The eye rests, jumps by 12° in 40 ms, rests, is closed for 200 ms, and rests."""


def looking(first_us: int, index: int) -> Batch:
    """Three seconds at 1 kHz, with a little noise."""
    t_ms = np.arange(WHOLE_MS)
    h_deg = np.interp(t_ms, [JUMP_MS, JUMP_MS + 40], [-4.0, 8.0])
    gaze_deg = np.stack([h_deg, np.zeros(WHOLE_MS)], axis=1)
    gaze_deg += stream(5, "noise of gaze", index).normal(0, 0.05, gaze_deg.shape)
    is_closed = (t_ms >= BLINK_MS) & (t_ms < BLINK_MS + 200)
    return made_up(0, WHOLE_MS)._replace(
        t_us=first_us + t_ms * 1000,
        gaze_deg=gaze_deg.astype(np.float32),
        flags=np.where(is_closed, 0, GazeFlag.VALID).astype(np.uint8),
    )


@pytest.mark.parametrize("piece", [7, 250])
def test_every_reading_has_what_the_eye_did(tmp_path, piece):
    with Recorder(tmp_path / "r", INFO) as recorder:
        for session, first_us in enumerate((8_000_000, 1_000)):  # its clock began anew
            if session:
                recorder.add(Gone("unplugged", 1.0))
                recorder.add(Back(2.0))
            whole = looking(first_us, session)
            for first in range(0, WHOLE_MS, piece):
                recorder.add(Batch._make(None if c is None else c[first : first + piece] for c in whole))
    event = read_recording(tmp_path / "r").columns["event"].reshape(2, WHOLE_MS)
    for found in event:
        assert (found[100:900] == FIXATION).all()
        assert (found[JUMP_MS + 10 : JUMP_MS + 30] == SACCADE).all()
        assert (found[JUMP_MS + 150 : BLINK_MS - 150] == FIXATION).all()
        assert (found[BLINK_MS : BLINK_MS + 200] == BLINK).all()
        assert (found == SACCADE).sum() < 100


def test_what_was_cut_short_has_the_same_events(tmp_path):
    with Recorder(tmp_path / "r", INFO) as recorder:
        recorder.add(looking(8_000_000, 0))
        while read_journal(place_of(tmp_path / "r")).rows < WHOLE_MS:
            time.sleep(0.01)
        shutil.copytree(place_of(tmp_path / "r"), place_of(tmp_path / "cut"))
    recover(tmp_path / "cut")
    whole, cut = (read_recording(tmp_path / name) for name in ("r", "cut"))
    assert (whole.provenance["cut_short"], cut.provenance["cut_short"]) == (False, True)
    assert set(whole.columns["event"]) == {FIXATION, SACCADE, BLINK}
    assert cut.columns["event"].tolist() == whole.columns["event"].tolist()


def test_a_rate_at_which_no_saccade_can_be_seen_leaves_events_undefined(tmp_path):
    slow = made_up(0, 100)
    with Recorder(tmp_path / "r", INFO) as recorder:
        recorder.add(slow._replace(t_us=slow.t_us[0] + np.arange(100) * 20_000))
    assert (read_recording(tmp_path / "r").columns["event"] == 0).all()
