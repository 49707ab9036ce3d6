"""What is recorded is what came; what was on the disk when something ended it is a recording still."""

from __future__ import annotations

import contextlib
import json
import zlib

import numpy as np
import pytest

from psog.device.losses import Losses
from psog.device.messages import GazeFlag
from psog.device.reconnecting import Back, Gone
from psog.errors import RecordingError
from psog.headset import load_headset
from psog.live import recorder as recorder_module
from psog.live.finishing import recover
from psog.live.journal import READINGS, begin, place_of, read_journal
from psog.live.recorder import Recorder
from psog.manifest import JOURNAL, read_manifest
from psog.recording import read_recording
from psog.sim.streams import stream
from psog.virtual.source import RecordedReadings
from tests.live.rows import INFO, made_up

RING16 = load_headset("ring16")
HEADER = {"headset": "ring16", "wire_scale": 1, "provenance": {"source": "headset"}}


def record(out, *items, **options):
    with Recorder(out, INFO, **options) as recorder:
        for item in items:
            recorder.add(item)
    return recorder.finished


def assert_has_rows(recording, first, count):
    expected = made_up(first, count)
    assert recording.t_us.tolist() == expected.t_us.tolist()
    gaze_deg = np.stack([recording.columns["gaze_h_deg"], recording.columns["gaze_v_deg"]], axis=1)
    np.testing.assert_array_equal(gaze_deg, expected.gaze_deg)
    for name in ("openness", "expected_error_deg", "flags", "host_time_s"):
        np.testing.assert_array_equal(recording.columns[name], getattr(expected, name))
    assert (recording.columns["valid"] == (expected.flags & GazeFlag.VALID > 0)).all()


def test_a_recording_holds_what_came(tmp_path):
    finished = record(tmp_path / "r", *(made_up(first, 40) for first in range(0, 2000, 40)))
    recording = read_recording(tmp_path / "r")
    assert_has_rows(recording, 0, 2000)
    assert (finished.rows, finished.seconds, finished.sensors) == (2000, 1.999, 0)
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["manifest.json", "part-00000.parquet"]
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_the_manifest_tells_headset_board_and_model_and_no_name_unless_given(tmp_path):
    record(tmp_path / "anonymous", made_up(0, 10))
    record(tmp_path / "named", made_up(0, 10), user="P07")
    found = read_manifest(tmp_path / "anonymous").provenance
    assert found["device"] == json.loads(json.dumps(INFO._asdict()))
    assert (found["source"], found["cut_short"], "user" in found) == ("headset", False, False)
    assert read_manifest(tmp_path / "named").provenance["user"] == "P07"


def test_readings_are_kept_only_when_asked_for(tmp_path):
    record(tmp_path / "without", made_up(0, 50, 16))
    assert read_recording(tmp_path / "without").readings.shape == (50, 0)
    record(tmp_path / "with", made_up(0, 50, 16), sensors=RING16)
    wire = RING16.to_wire(read_recording(tmp_path / "with").readings)
    np.testing.assert_array_equal(wire, made_up(0, 50, 16).readings)


def test_who_needs_readings_or_the_truth_is_told_that_there_are_none(tmp_path):
    record(tmp_path / "r", made_up(0, 50))
    recording = read_recording(tmp_path / "r")
    with pytest.raises(RecordingError, match="no sensor readings; record again with psog record --sensors"):
        RecordedReadings(recording, RING16)
    with pytest.raises(RecordingError, match="the headset's own estimate"):
        _ = recording.gaze_deg


def test_a_gap_begins_another_session_and_is_told(tmp_path):
    away = Gone("unplugged", 12.0), Back(3.5)
    finished = record(tmp_path / "r", made_up(0, 30), *away, made_up(7, 20))
    recording = read_recording(tmp_path / "r")
    assert recording.columns["session"].tolist() == [0] * 30 + [1] * 20
    assert recording.provenance["gaps"] == [{"row": 30, "away_s": 3.5, "why": "unplugged"}]
    assert finished.away_s == [3.5]
    assert finished.seconds == pytest.approx(0.029 + 0.019)


def test_a_headset_that_did_not_come_back_is_told(tmp_path):
    finished = record(tmp_path / "r", made_up(0, 30), Gone("unplugged", 12.0))
    gaps = read_manifest(tmp_path / "r").provenance["gaps"]
    assert gaps == [{"row": 30, "away_s": None, "why": "unplugged"}]
    assert finished.away_s == []


def test_losses_are_told_as_they_were_counted(tmp_path):
    with Recorder(tmp_path / "r", INFO) as recorder:
        recorder.losses = Losses(90, 10, 2, 1)
        recorder.add(made_up(0, 90))
    losses = {"received": 90, "lost": 10, "damaged": 2, "restarts": 1}
    assert read_manifest(tmp_path / "r").provenance["losses"] == recorder.finished.losses == losses


def test_a_long_recording_has_several_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("psog.live.finishing._SHARD_ROWS", 1000)
    monkeypatch.setattr(recorder_module, "EVERY_S", 0.001)
    with Recorder(tmp_path / "r", INFO) as recorder:
        for first in range(0, 5000, 500):
            recorder.add(made_up(first, 500))
            while recorder._waiting:
                pass  # each batch is a chunk of its own
    assert len(read_manifest(tmp_path / "r").shards) > 3
    assert_has_rows(read_recording(tmp_path / "r"), 0, 5000)


def test_nothing_is_left_of_a_recording_without_a_reading(tmp_path):
    with pytest.raises(RecordingError, match="no reading came"):
        record(tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(tmp_path):
    record(tmp_path / "r", made_up(0, 10))
    with pytest.raises(RecordingError, match="already exists"):
        record(tmp_path / "r", made_up(0, 20))
    assert len(read_recording(tmp_path / "r")) == 10
    record(tmp_path / "r", made_up(0, 20), force=True)
    assert len(read_recording(tmp_path / "r")) == 20


def test_an_error_of_the_program_that_records_costs_no_reading(tmp_path):
    with pytest.raises(ZeroDivisionError), Recorder(tmp_path / "r", INFO) as recorder:
        recorder.add(made_up(0, 100))
        raise ZeroDivisionError
    assert_has_rows(read_recording(tmp_path / "r"), 0, 100)


@pytest.fixture
def cut_short(tmp_path):
    """Three chunks of five readings and a gap, as a power cut leaves them."""
    journal = begin(tmp_path / "r", HEADER, 0)
    journal.add(made_up(0, 5), {})
    journal.note({"away_s": 1.5, "why": "unplugged"})
    journal.add(made_up(5, 5), {})
    journal.add(made_up(10, 5), {"losses": {"received": 15, "lost": 1, "damaged": 0, "restarts": 0}})
    journal.close()
    return tmp_path / "r"


def test_what_was_cut_short_is_refused_until_it_is_recovered(cut_short):
    with pytest.raises(RecordingError, match="psog record --recover"):
        read_recording(cut_short)
    with pytest.raises(RecordingError, match="psog record --recover"):
        record(cut_short, made_up(0, 10))
    finished = recover(cut_short)
    assert_has_rows(read_recording(cut_short), 0, 15)
    assert (finished.rows, finished.away_s, finished.losses["lost"]) == (15, [1.5], 1)
    assert read_manifest(cut_short).provenance["cut_short"] is True
    assert not place_of(cut_short).exists()
    with pytest.raises(RecordingError, match="nothing to recover"):
        recover(cut_short)


@pytest.mark.parametrize("name", [JOURNAL, READINGS])
@pytest.mark.parametrize("tail", [b"", bytes(100)], ids=["nothing", "zeros"])
def test_a_power_cut_at_any_byte_costs_the_chunks_it_hit(cut_short, name, tail):
    path = place_of(cut_short) / name
    whole = path.read_bytes()
    chunks = read_journal(path.parent).chunks
    if name == READINGS:
        ends = [chunk.at + chunk.bytes for chunk in chunks]
    else:
        lines = np.cumsum([len(line) for line in whole.splitlines(keepends=True)]).tolist()
        ends = [lines[1], lines[3], lines[4]]  # of the lines about chunks
    for cut in range(ends[1], len(whole)):
        path.write_bytes(whole[:cut] + tail)
        kept = read_journal(path.parent)
        assert kept.chunks == chunks[: sum(end <= cut for end in ends)], cut
    rows = sum(len(batch.t_us) for batch, _ in kept.batches())
    assert rows == 10


def test_bytes_that_are_wrong_with_a_right_checksum_are_read_or_refused(cut_short):
    place = place_of(cut_short)
    whole, lines = (place / READINGS).read_bytes(), (place / JOURNAL).read_text().splitlines()
    (chunk, *_) = read_journal(place).chunks
    for index in range(60):
        rng = stream(3, "damage", index)
        data = bytearray(whole)
        for at in rng.integers(chunk.at, chunk.at + chunk.bytes, 3).tolist():
            data[at] = int(rng.choice([0, 1, 127, 255]))
        crc32 = zlib.crc32(data[chunk.at : chunk.at + chunk.bytes])
        line = json.dumps(json.loads(lines[1]) | {"crc32": crc32})
        (place / READINGS).write_bytes(data)
        (place / JOURNAL).write_text("\n".join([lines[0], line, ""]))
        with contextlib.suppress(RecordingError):
            assert [len(batch.t_us) for batch, _ in read_journal(place).batches()] == [5]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 2),
        ("headset", None),
        ("sensors", -1),
        ("sensors", 10**9),
        ("sensors", True),
        ("wire_scale", 0),
        ("wire_scale", "16"),
        ("provenance", []),
    ],
)
def test_a_journal_that_says_what_cannot_be_is_refused(cut_short, key, value):
    path = place_of(cut_short) / JOURNAL
    first, *lines = path.read_text().splitlines(keepends=True)
    path.write_text(json.dumps(json.loads(first) | {key: value}) + "\n" + "".join(lines))
    with pytest.raises(RecordingError):
        recover(cut_short)
    assert path.exists()


def test_a_cut_while_a_recording_is_being_finished_can_be_recovered_too(cut_short):
    place = place_of(cut_short)
    (place / "part-00000.parquet").write_bytes(b"half a shard")
    (place / "manifest.json").write_bytes(b"{")
    recover(cut_short)
    assert_has_rows(read_recording(cut_short), 0, 15)


def test_a_recording_that_is_being_made_is_not_recovered_by_another(tmp_path):
    with Recorder(tmp_path / "r", INFO) as recorder:
        recorder.add(made_up(0, 10))
        with pytest.raises(RecordingError, match="being worked on by another program"):
            recover(tmp_path / "r")
        for force in (False, True):
            with pytest.raises(RecordingError, match="being worked on by another program"):
                record(tmp_path / "r", made_up(5, 5), force=force)
    assert_has_rows(read_recording(tmp_path / "r"), 0, 10)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot record to") as refused:
        record(tmp_path / "file" / "r", made_up(0, 10))
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
