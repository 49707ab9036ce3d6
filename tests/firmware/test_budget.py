"""What the runtime costs may not creep: every figure stays within 2 % of the checked-in file's."""

import json
from pathlib import Path

import pytest

from psog.benchmarks.firmware_budget import differences, measure_board, read_figures
from psog.cli.main import main
from psog.firmware_export.toolchain import available_boards, board_target, compiler_version
from tests.firmware.emulated import ONE_PER_CORE

FILE = Path(__file__).with_name("budget.json")
STORED = read_figures(FILE)
UPDATE = "psog bench firmware --update tests/firmware/budget.json"


@pytest.mark.parametrize("board", ONE_PER_CORE)
def test_no_figure_differs_from_the_file(board):
    if (version := compiler_version(board_target(board).target)) != STORED["compiler"]:
        pytest.skip(f"the figures are of {STORED['compiler']}, this is {version}")
    found = differences(STORED["boards"].get(board, {}), measure_board(board), board)
    assert not found, "\n".join([*found, f"if that is meant, write the new figures: {UPDATE}"])


def test_a_figure_that_grew_or_fell_or_is_new_is_named_with_both_values():
    stored = {"net": dict.fromkeys(STORED["boards"]["mps2-an386"]["dense64-dense64"], 1000)}
    found = {"net": {**stored["net"], "instructions": 1021, "ram_bytes": 979, "stack_bytes": 1020}}
    assert differences(stored, found, "board") == [
        "board, net: instructions grew from 1,000 to 1,021 (+2.1%)",
        "board, net: ram_bytes fell from 1,000 to 979 (-2.1%)",
    ]
    assert "instructions None in the file, now 1021" in differences({}, found, "board")[0]


def test_only_a_file_of_figures_is_replaced(tmp_path):
    thesis = tmp_path / "thesis.json"
    thesis.write_text("{}")
    with pytest.raises(SystemExit, match="holds no figures of the firmware"):
        main(["bench", "firmware", "--update", str(thesis)])
    assert thesis.read_text() == "{}"


def test_the_bench_compares_a_net_with_tflite_micro(capsys):
    if "mps2-an386" not in available_boards():
        pytest.skip("no cross compiler or no QEMU is installed")
    which = ["--net", "dense64-dense64", "--board", "mps2-an386"]
    main(["bench", "firmware", *which, "--readings", "2", "--json"])
    (figures,) = json.loads(capsys.readouterr().out)["boards"].values()
    assert figures["bit_exact"]
    assert figures["tflm_instructions"] == 19052
    assert figures["times_fewer"] == round(19052 / figures["instructions"], 2)


def test_two_things_to_measure_are_one_too_many():
    with pytest.raises(SystemExit, match="--net and --all-nets are given"):
        main(["bench", "firmware", "--net", "dense64-dense64", "--all-nets"])
