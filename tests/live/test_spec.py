"""docs/SPEC.md says enough about live recordings to write an unfinished one by hand."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa

from psog.live.finishing import recover
from psog.recording import read_recording

SPEC = (Path(__file__).resolve().parents[2] / "docs" / "SPEC.md").read_text("utf-8")
FLOATS = ("gaze_h_deg", "gaze_v_deg", "openness", "expected_error_deg")


def batch(first_us: int) -> pa.RecordBatch:
    """Two readings of two sensors."""
    arrays = {"t_us": pa.array([first_us, first_us + 1000], pa.int64()), "seq": pa.array([0, 1], pa.uint16())}
    arrays |= {name: pa.array([0.5, 1.5], pa.float32()) for name in FLOATS}
    arrays |= {"flags": pa.array([1, 4], pa.uint8()), "host_time_s": pa.array([float("nan"), 2.0])}
    arrays |= {name: pa.array([1600, 65520], pa.uint16()) for name in ("s00", "s01")}
    return pa.record_batch(arrays)


def test_an_unfinished_recording_written_by_hand_is_recovered(tmp_path):
    place = tmp_path / "r.unfinished"
    place.mkdir()
    whole = bytes(batch(0).schema.serialize())
    lines = [
        {
            "format": "psog-live-recording",
            "version": 1,
            "headset": "duo",
            "sensors": 2,
            "wire_scale": 16,
            "provenance": {"source": "by hand"},
        }
    ]
    for first_us in (5000, 0):
        data = bytes(batch(first_us).serialize())
        lines.append({"at": len(whole), "bytes": len(data), "crc32": zlib.crc32(data), "rows": 2})
        whole += data
    lines[2:2] = [{"gone": "unplugged"}, {"away_s": 4.0, "why": "unplugged"}]
    (place / "readings.arrows").write_bytes(whole)
    (place / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"at": 1')

    assert recover(tmp_path / "r").rows == 4
    recording = read_recording(tmp_path / "r")
    assert recording.t_us.tolist() == [5000, 6000, 0, 1000]
    assert recording.readings.tolist() == [[100, 100], [4095, 4095]] * 2
    assert recording.columns["session"].tolist() == [0, 0, 1, 1]
    assert recording.columns["valid"].tolist() == [True, False] * 2
    assert np.isnan(recording.columns["host_time_s"][0])
    assert recording.provenance["source"] == "by hand"


def test_the_spec_names_every_key_of_a_live_recording(tmp_path):
    from psog.live.recorder import Recorder
    from tests.live.rows import INFO, made_up

    with Recorder(tmp_path / "r", INFO, user="P07") as recorder:
        recorder.add(made_up(0, 10))
    section = SPEC.split("### Live recordings\n")[1].split("\n## ")[0]
    recording = read_recording(tmp_path / "r")
    for key in (*recording.provenance, *recording.columns, "wire_scale"):
        assert f"`{key}`" in section, key
