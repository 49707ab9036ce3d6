"""docs/SPEC.md says enough about recordings to write them by hand, and to read them by hand."""

import fcntl
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from psog.errors import RecordingError
from psog.headset import load_headset
from psog.recording import (
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    Recording,
    iterate_recording,
    read_recording,
    write_recording,
)
from psog.unfinished import unfinished_recording

SPEC = (Path(__file__).resolve().parents[1] / "docs" / "SPEC.md").read_text("utf-8")
SENSORS, ROWS = 3, 4
MADE_FROM = {"seed": 3, "program": "by hand"}


def section(title: str) -> str:
    return SPEC.split(f"### {title}\n")[1].split("\n## ")[0].split("\n### ")[0]


def table_rows(title: str) -> dict[str, list[str]]:
    """The table's other cells, by each `name` in its first one."""
    rows = {}
    for line in section(title).splitlines():
        if line.startswith("| `"):
            first, *others = (cell.strip() for cell in line.strip("|").split("|"))
            rows |= dict.fromkeys(re.findall(r"`(\w+)`", first), others)
    return rows


def shard(first_us: int) -> pa.Table:
    """Every column of the SPEC, with types and an order that psog does not choose itself."""
    columns: dict[str, object] = {
        "note": pa.array(["mine"] * ROWS),
        "valid": pa.array([True, False, True, True], pa.bool_()),
        "openness": pa.array([1, 0, 1, 1], pa.int8()),
    }
    columns |= {f"s{k:02d}": pa.array([100 * k + 0.5] * ROWS, pa.float64()) for k in range(SENSORS)}
    columns |= {name: pa.array([1.5, None, 2.5, float("nan")], pa.float32()) for name in FLOAT_COLUMNS[:-1]}
    columns |= {name: pa.array([0, 1, 2, 5], pa.uint8()) for name in INTEGER_COLUMNS}
    columns["t_us"] = pa.array([first_us + 1000 * k for k in range(ROWS)], pa.int32())
    return pa.table(columns)


def write_by_hand(folder: Path) -> None:
    folder.mkdir()
    for number in range(2):
        pq.write_table(shard(10_000 * number), folder / f"mine-{number}.parquet", compression="gzip")
    manifest = {
        "format": "psog-recording",
        "version": 1,
        "headset": "trio",
        "sensors": SENSORS,
        "rows": 2 * ROWS,
        "shards": ["mine-0.parquet", "mine-1.parquet"],
        "author": "somebody",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_folder_written_from_the_spec_by_hand_is_read(tmp_path):
    write_by_hand(tmp_path / "r")
    recording = read_recording(tmp_path / "r")
    assert (recording.headset, recording.provenance) == ("trio", {})
    assert recording.t_us.tolist() == [0, 1000, 2000, 3000, 10_000, 11_000, 12_000, 13_000]
    assert recording.readings.dtype == np.float32
    assert recording.readings.tolist() == [[0.5, 100.5, 200.5]] * 2 * ROWS
    assert recording.columns.keys() == {*FLOAT_COLUMNS, *INTEGER_COLUMNS, "valid"}
    np.testing.assert_array_equal(recording.gaze_deg[:ROWS, 1], [1.5, np.nan, 2.5, np.nan])
    assert recording.columns["valid"].tolist() == [True, False, True, True] * 2
    assert recording.columns["event"].tolist() == [0, 1, 2, 5] * 2
    assert recording.columns["openness"].tolist() == [1, 0, 1, 1] * 2
    assert sum(map(len, iterate_recording(tmp_path / "r", rows=3))) == 2 * ROWS


def test_what_psog_writes_is_read_by_hand(tmp_path):
    rng = np.random.default_rng(3)
    readings = rng.uniform(0, 4095, (9, SENSORS)).astype(np.float32)
    gaze = rng.normal(size=9).astype(np.float32)
    t_us = np.arange(9, dtype=np.int64) * 1000
    write_recording(Recording("trio", t_us, readings, {"gaze_h_deg": gaze}, {"seed": 3}), tmp_path / "r")
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text("utf-8"))
    assert manifest.keys() == table_rows("Manifest").keys()
    assert (manifest["headset"], manifest["sensors"], manifest["rows"]) == ("trio", SENSORS, 9)
    assert manifest["provenance"] == {"seed": 3}
    (name,) = manifest["shards"]
    assert name == "part-00000.parquet"
    assert manifest["shard_rows"] == [9]
    digest = hashlib.sha256((tmp_path / "r" / name).read_bytes()).hexdigest()
    assert manifest["shard_sha256"] == [digest]
    table = pq.read_table(tmp_path / "r" / name)
    assert table.column_names == ["t_us", "s00", "s01", "s02", "gaze_h_deg"]
    np.testing.assert_array_equal(table["s02"].to_numpy(), readings[:, 2])
    np.testing.assert_array_equal(table["gaze_h_deg"].to_numpy(), gaze)
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["manifest.json", name]


def test_the_spec_has_every_column_with_what_may_be_left_out():
    rows = table_rows("Shards")
    assert rows.keys() == {"t_us", "s00", "s01", *FLOAT_COLUMNS, *INTEGER_COLUMNS, "valid"}
    assert {name for name, cells in rows.items() if cells[2] == "no"} == {"t_us", "s00", "s01"}
    assert {name for name, cells in rows.items() if cells[0].startswith("integer")} == {
        "t_us",
        *INTEGER_COLUMNS,
    }


def test_the_types_in_the_spec_are_those_of_simulated_recordings(tmp_path):
    from psog.sim.config import SimulationConfig
    from psog.sim.simulate import simulate

    write_recording(simulate(SimulationConfig(load_headset("grid15"), 1, 0, 0.02)), tmp_path / "r")
    rows = table_rows("Shards")
    types = {"float": "float32"}  # as Arrow prints it
    for field in pq.read_schema(tmp_path / "r" / "part-00000.parquet"):
        kind = rows["s00" if re.fullmatch(r"s\d\d", field.name) else field.name][0]
        assert re.search(r"\((\w+)\)", kind)[1] == types.get(str(field.type), str(field.type)), field.name


class TestUnfinished:
    """A journal written by hand: one shard of two is finished."""

    @pytest.fixture
    def out(self, tmp_path):
        place = tmp_path / "r.unfinished"
        place.mkdir()
        pq.write_table(shard(0), place / "part-00000.parquet")
        sha256 = hashlib.sha256((place / "part-00000.parquet").read_bytes()).hexdigest()
        lines = [
            {"format": "psog-unfinished-recording", "made_from": MADE_FROM},
            {"shard": 0, "rows": 99, "sha256": "of one that was made again"},
            {"shard": 1, "rows": ROWS, "sha256": sha256},  # there is no such file
            {"shard": 0, "rows": ROWS, "sha256": sha256},
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (place / "journal.jsonl").write_text(text + '{"shard": 2, "ro')
        return tmp_path / "r"

    def test_goes_on_with_the_shards_that_are_whole(self, out):
        with unfinished_recording(out, MADE_FROM) as work:
            assert (list(work.finished), work.rows) == ([0], ROWS)
            work.complete("trio", SENSORS, {}, force=False)
        assert len(read_recording(out)) == ROWS
        assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "part-00000.parquet"]
        assert not out.with_name("r.unfinished").exists()

    def test_is_not_touched_while_another_program_has_its_lock(self, out):
        path = out.with_name("r.unfinished") / "journal.jsonl"
        before = path.read_bytes()
        with path.open("rb") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            with (
                pytest.raises(RecordingError, match="by another program"),
                unfinished_recording(out, MADE_FROM),
            ):
                pass
        assert path.read_bytes() == before

    def test_is_not_gone_on_with_as_another_one(self, out):
        with (
            pytest.raises(RecordingError, match="begun with another seed"),
            unfinished_recording(out, {**MADE_FROM, "seed": 4}),
        ):
            pass

    @pytest.mark.parametrize("name", ["r", "r.unfinished"])
    def test_is_not_read(self, name, out):
        with pytest.raises(RecordingError, match="is unfinished"):
            read_recording(out.with_name(name))

    def test_is_read_when_only_the_last_step_is_missing(self, out):
        write_by_hand(out)
        (out / "journal.jsonl").write_text("what the journal was")
        assert len(read_recording(out)) == 2 * ROWS
