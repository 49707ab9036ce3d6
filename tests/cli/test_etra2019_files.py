"""The reader of the ETRA 2019 paper's own data set, on files in its documented layout."""

import numpy as np
import pytest

from psog.benchmarks.etra2019.reader import COLUMNS, FEWEST_ROWS, read_subjects
from psog.cli.main import main
from psog.headset import load_headset

GRID15 = load_headset("grid15")
ROWS = FEWEST_ROWS + 10


def lines_of(seed, rows=ROWS):
    """(rows + 1) lines: a header and numbers."""
    random = np.random.default_rng(seed)
    values = np.column_stack(
        [
            np.arange(rows) * 8.333,
            random.uniform(-19, 19, (rows, 2)),
            random.uniform(3, 4, rows),
            random.uniform(-2, 2, (rows, 2)),
            random.uniform(10, 200, (rows, 15)),
        ]
    )
    return ["\t".join(COLUMNS), *("\t".join(f"{value:.5f}" for value in row) for row in values)]


def write(root, name, lines):
    folder = root / name
    folder.mkdir(parents=True)
    (folder / f"{name}_grid15.csv").write_text("\n".join(lines) + "\n")


def with_cell(line, column, cell):
    cells = line.split("\t")
    cells[COLUMNS.index(column)] = cell
    return "\t".join(cells)


def test_subjects_of_the_paper_s_grouping_are_read_without_rows_that_it_drops(tmp_path):
    lines = lines_of(0)
    lines[1] = with_cell(lines[1], "pos_x", "20.5")
    lines[2] = with_cell(lines[2], "pos_y", "-20.01")
    lines[3] = with_cell(lines[3], "psog7", "nan")
    lines[4] = with_cell(lines[4], "pos_x", "")
    lines[5] = with_cell(lines[5], "psog0", "inf")
    write(tmp_path, "23", lines)
    write(tmp_path, "2", lines_of(1))
    write(tmp_path, "9", lines_of(2))  # not one of the paper's 22
    second, last = read_subjects(tmp_path, GRID15)
    assert (second.name, last.name) == ("2", "23")
    assert len(second) == ROWS and len(last) == ROWS - 5 and last.frame[0] == 5
    row = [float(cell) for cell in lines[6].split("\t")]
    np.testing.assert_allclose(last.gaze_deg[0], row[1:3], rtol=1e-5)
    np.testing.assert_allclose(last.readings[0] / last.readings[0, 0], np.divide(row[6:], row[6]), rtol=1e-5)
    largest = max(second.readings.max(), last.readings.max())
    assert largest == pytest.approx(0.9 * GRID15.adc.full_scale)


def without(column):
    k = COLUMNS.index(column)
    return ["\t".join(np.delete(line.split("\t"), k)) for line in lines_of(0)]


def changed(column, cell):
    lines = lines_of(0)
    lines[7] = with_cell(lines[7], column, cell)
    return lines


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (without("psog14"), "missing column psog14"),
        ([], "missing column time, pos_x"),
        (changed("psog3", "dark"), "line 8: could not convert string to float: 'dark'; expected numbers"),
        ([*lines_of(0), "1\t2"], f"line {ROWS + 2} has 2 values, the header names 21"),
        (lines_of(0, rows=50), "50 of 50 rows are usable"),
        (lines_of(0, rows=0), "0 of 0 rows are usable"),
    ],
)
def test_a_file_that_is_not_as_documented_is_refused_in_one_line(tmp_path, lines, message):
    write(tmp_path, "5", lines_of(1))
    write(tmp_path, "18", lines)
    assert message in refusal(tmp_path)


def test_a_folder_without_subjects_or_with_one_group_is_refused_in_one_line(tmp_path):
    assert "no subjects in" in refusal(tmp_path)
    write(tmp_path, "1", lines_of(0))
    write(tmp_path, "4", lines_of(1))
    assert "only subjects 1, 4, of one group" in refusal(tmp_path)


def test_subjects_of_groups_that_are_not_tested_are_not_enough(tmp_path):
    write(tmp_path, "5", lines_of(0))
    write(tmp_path, "10", lines_of(1))
    assert "none of the subjects 18 to 20, 21 to 23" in refusal(tmp_path, "--short")


def test_a_subject_who_never_looks_elsewhere_cannot_be_split_by_time(tmp_path):
    for name in ("1", "18"):
        write(
            tmp_path, name, [with_cell(with_cell(line, "pos_x", "3"), "pos_y", "3") for line in lines_of(0)]
        )
        header = tmp_path / name / f"{name}_grid15.csv"
        header.write_text("\t".join(COLUMNS) + "\n" + header.read_text().split("\n", 1)[1])
    assert "subject 18 looks elsewhere in 1 blocks of 2 s" in refusal(tmp_path, "--short", "--workers", "1")


@pytest.mark.parametrize(
    ("flag", "message"), [("--repetitions", "--repetitions is 0"), ("--workers", "0 workers")]
)
def test_no_repetitions_or_workers_at_all_are_refused(tmp_path, flag, message):
    for name in ("1", "18"):
        write(tmp_path, name, lines_of(0, rows=3000))
    assert message in refusal(tmp_path, "--short", flag, "0")


def refusal(root, *words):
    """The one line with which the command ends."""
    with pytest.raises(SystemExit) as end:
        main(["bench", "etra2019", "--data", str(root), *words])
    assert isinstance(end.value.code, str) and len(end.value.code.splitlines()) == 1
    return end.value.code
