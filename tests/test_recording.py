"""A recording survives the disk unchanged, and a damaged one is refused with the reason."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from psog.errors import RecordingError
from psog.headset import load_headset
from psog.recording import Recording, read_recording, write_recording


def make_recording(rows: int = 50) -> Recording:
    rng = np.random.default_rng(5)
    return Recording(
        headset="ring16",
        t_us=np.arange(rows, dtype=np.int64) * 1000,
        readings=rng.uniform(0, 4095, (rows, 16)).astype(np.float32),
        columns={
            "gaze_h_deg": rng.normal(size=rows).astype(np.float32),
            "gaze_v_deg": rng.normal(size=rows).astype(np.float32),
            "event": np.ones(rows, np.int32),
            "valid": np.ones(rows, bool),
        },
        provenance={"seed": 5},
    )


def test_a_recording_reads_back_as_it_was_written(tmp_path):
    original = make_recording()
    write_recording(original, tmp_path / "r")
    copy = read_recording(tmp_path / "r")
    assert copy.headset == original.headset
    assert copy.provenance == original.provenance
    np.testing.assert_array_equal(copy.t_us, original.t_us)
    np.testing.assert_array_equal(copy.readings, original.readings)
    np.testing.assert_array_equal(copy.gaze_deg, original.gaze_deg)
    assert copy.columns["valid"].dtype == bool


def test_a_recording_is_read_from_the_folder_one_is_in(tmp_path, monkeypatch):
    write_recording(make_recording(), tmp_path / "r")
    monkeypatch.chdir(tmp_path / "r")
    assert len(read_recording(Path())) == 50


def test_an_existing_folder_is_kept_unless_forced(tmp_path):
    write_recording(make_recording(10), tmp_path / "r")
    with pytest.raises(RecordingError, match="already exists"):
        write_recording(make_recording(20), tmp_path / "r")
    assert len(read_recording(tmp_path / "r")) == 10
    write_recording(make_recording(20), tmp_path / "r", force=True)
    assert len(read_recording(tmp_path / "r")) == 20


def test_a_long_recording_is_split_into_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("psog.recording._SHARD_ROWS", 16)
    write_recording(make_recording(50), tmp_path / "r")
    assert len(list((tmp_path / "r").glob("*.parquet"))) == 4
    np.testing.assert_array_equal(read_recording(tmp_path / "r").readings, make_recording(50).readings)


def _rewrite(folder, change):
    path = folder / "part-00000.parquet"
    pq.write_table(change(pq.read_table(path)), path)


def _drop_sensor(folder):
    _rewrite(folder, lambda table: table.drop_columns(["s03"]))


def _lose_rows(folder):
    _rewrite(folder, lambda table: table.slice(0, 7))


def _put_nan(folder):
    def change(table):
        values = table["s03"].to_numpy().copy()
        values[4] = np.nan
        return table.set_column(table.column_names.index("s03"), "s03", [values])

    _rewrite(folder, change)


def _truncate(folder):
    path = folder / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:100])


def _other_version(folder):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 9}))


def _manifest_says(**values):
    def damage(folder):
        path = folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return damage


def _column_holds(name, values):
    def change(table):
        if name not in table.column_names:
            return table.append_column(name, [values])
        return table.set_column(table.column_names.index(name), name, [values])

    return lambda folder: _rewrite(folder, change)


def _double_column(folder):
    _rewrite(folder, lambda table: table.append_column("s00", table["s00"]))


def _no_manifest(folder):
    (folder / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_drop_sensor, "lacks columns s03"),
        (_lose_rows, "7 rows"),
        (_put_nan, "row 4"),
        (_truncate, "cannot read"),
        (_other_version, "version 9"),
        (_no_manifest, "not a recording"),
        (_manifest_says(sensors=0), "0 sensors, expected 1 to 64"),
        (_manifest_says(rows=-1), "-1 rows"),
        (_manifest_says(rows="50"), "expected keys format, version"),
        (_manifest_says(version=True), "expected keys format, version"),
        (_manifest_says(shards=[]), "one or more names"),
        (_manifest_says(shards=["../r/part-00000.parquet"]), "names of files beside it"),
        (_manifest_says(provenance=[]), "provenance must be an object"),
        (
            _column_holds("gaze_h_deg", ["left"] * 50),
            "gaze_h_deg of type string, expected floating or integer",
        ),
        (_column_holds("t_us", [0.5] * 50), "t_us of type double, expected integer"),
        (_column_holds("valid", [1] * 50), "valid of type int64, expected boolean"),
        (_column_holds("event", pa.array([None] * 50, pa.int8())), "rows without event"),
        (_column_holds("s03", pa.array([1.0, None] * 25)), "not a number in row 1"),
        (_double_column, "s00 more than once"),
    ],
)
def test_a_damaged_recording_is_refused_with_the_reason(tmp_path, damage, message):
    write_recording(make_recording(), tmp_path / "r")
    damage(tmp_path / "r")
    with pytest.raises(RecordingError, match=message) as refused:
        read_recording(tmp_path / "r")
    assert "\n" not in str(refused.value)


def test_a_recording_knows_its_headset():
    make_recording().check_headset(load_headset("ring16"))
    with pytest.raises(RecordingError, match="grid15"):
        make_recording().check_headset(load_headset("grid15"))


def test_columns_must_match_the_rows():
    good = make_recording()
    with pytest.raises(RecordingError, match="openness"):
        Recording(good.headset, good.t_us, good.readings, {"openness": np.ones(3)})
