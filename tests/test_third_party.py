"""Files that other projects made are read as they are, or refused with the line that is wrong."""

import numpy as np
import pytest

from psog.errors import RecordingError
from psog.third_party import read_eyelink_trace, read_psog_nn
from tests.data_paths import gaze_trace, needs_shared_data, psog_nn

HEADER = "\tposx\tposy\tsmh\tsmr\tsmv\tpupil_size\t" + "\t".join(f"sr_{i}" for i in range(15))
ROW = "0\t-20.0\t16.0\t-2.0\t0.5\t1.5\t3.4\t" + "\t".join(f"0.{i + 10}" for i in range(15))


def write(tmp_path, *lines):
    path = tmp_path / "file.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_signals_become_counts_and_shifts_keep_their_axes(tmp_path):
    recording = read_psog_nn(write(tmp_path, HEADER, ROW))
    assert recording.headset == "grid15"
    assert recording.readings[0, 3] == pytest.approx(0.13 * 4096)
    assert recording.gaze_deg.tolist() == [[-20.0, 16.0]]
    found = [float(recording.columns[n][0]) for n in ("shift_x_mm", "shift_y_mm", "shift_z_mm", "roll_deg")]
    assert found == [-2.0, 1.5, 0.0, 0.5]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER.replace("sr_7\t", ""), ROW], "missing column sr_7"),
        ([HEADER, ROW, ROW.replace("-20.0", "nan")], "line 3"),
        ([HEADER, ROW.replace("-20.0", "left")], "line 2"),
        ([HEADER, ROW.rsplit("\t", 1)[0]], "line 2"),
        ([HEADER, ROW, ROW.replace("0.13", "7.5")], "line 3 has a signal outside"),
        ([HEADER, ROW.replace("-20.0", "500")], "line 2 has a signal outside 0 … 1 or a gaze beyond"),
        ([HEADER], "no rows"),
        ([""], "missing column"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path, lines, message):
    with pytest.raises(RecordingError, match=message) as refused:
        read_psog_nn(write(tmp_path, *lines))
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(RecordingError, match="check the path"):
        read_psog_nn(tmp_path / "none.csv")


@needs_shared_data
@pytest.mark.parametrize(("name", "rows"), [("calib_062217", 10_530), ("eyelink_11", 7_938)])
def test_the_real_files_have_their_rows(name, rows):
    recording = read_psog_nn(psog_nn(name))
    assert recording.readings.shape == (rows, 15)
    assert 0 < recording.readings.min() < recording.readings.max() < 4096
    assert np.abs(recording.columns["shift_x_mm"]).max() == 2.0


@needs_shared_data
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_eyelink_traces_run_at_their_own_rate(number):
    trace = read_eyelink_trace(gaze_trace(number))
    assert np.median(np.diff(trace.t_us)) == 1000
    assert np.isfinite(trace.gaze_deg[trace.valid]).all()
    assert np.isnan(trace.gaze_deg[~trace.valid]).all()
    assert {1, 2} <= set(trace.event.tolist()) <= set(range(6))


def test_a_pickled_or_plain_array_is_refused(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"t": 1}], dtype=object))
    np.save(tmp_path / "plain.npy", np.zeros((3, 2)))
    with pytest.raises(RecordingError, match="cannot read"):
        read_eyelink_trace(tmp_path / "objects.npy")
    fields = [("t", "f8"), ("x", "f8"), ("y", "f8"), ("status", "?"), ("evt", "u1")]
    np.save(tmp_path / "empty.npy", np.zeros(0, fields))
    np.save(tmp_path / "timeless.npy", np.array([(np.nan, 0, 0, True, 1)], fields))
    for name in ("empty", "timeless"):
        with pytest.raises(RecordingError, match="finite time"):
            read_eyelink_trace(tmp_path / f"{name}.npy")
    with pytest.raises(RecordingError, match="missing field t, x, y, status, evt"):
        read_eyelink_trace(tmp_path / "plain.npy")
