"""What a model costs on a board: measured, estimated for a real part, and refused where it has no room."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from psog.cli.main import main
from psog.errors import ModelError
from psog.firmware_export.board_budgets import fitting_packing, measure_boards
from psog.firmware_export.boards import EMULATED
from psog.firmware_export.estimate import estimate
from psog.firmware_export.image import read_image, write_image
from psog.firmware_export.microcontrollers import MICROCONTROLLERS
from psog.firmware_export.toolchain import available_boards
from psog.headset import load_headset
from psog.net.store import load_model

BOARD = "mps2-an386"
needs_tools = pytest.mark.skipif(
    BOARD not in available_boards(), reason="no cross compiler or no QEMU is installed"
)
BUDGET = {"instructions": 20_000, "cycles_estimated": 42_000}


@pytest.fixture(scope="module")
def image():
    return write_image(load_model(Path("grid15")).net, load_headset("grid15"))


def with_part(monkeypatch, **changes):
    monkeypatch.setitem(MICROCONTROLLERS, BOARD, replace(MICROCONTROLLERS[BOARD], **changes))


def test_time_and_energy_follow_from_cycles_clock_and_current():
    found = estimate(BOARD, BUDGET, rate_hz=1000)
    assert (found["part"], found["clock_mhz"]) == ("STM32F405RG", 168)
    assert found["time_us"] == 42_000 / 168
    assert found["share_of_period"] == 0.25
    assert found["reachable"]
    assert found["energy_uj"] == 33  # 40 mA · 3.3 V · 250 µs
    assert "DS8626" in found["energy_source"]


def test_a_rate_whose_period_is_shorter_than_an_inference_is_not_reachable():
    assert not estimate(BOARD, BUDGET, rate_hz=4001)["reachable"]


def test_a_core_without_published_timings_is_taken_to_need_a_cycle_an_instruction():
    found = estimate("mps2-an505", {**BUDGET, "cycles_estimated": None}, rate_hz=1000)
    assert found["time_us"] == round(20_000 / 128, 1)
    assert "one cycle an instruction" in found["time_from"]


def test_no_energy_is_told_without_a_published_current():
    found = estimate("mps3-an547", {**BUDGET, "cycles_estimated": None}, rate_hz=1000)
    assert found["energy_uj"] is found["energy_source"] is None


def test_every_emulated_board_stands_for_a_part():
    assert set(EMULATED) <= set(MICROCONTROLLERS)


def test_smaller_weights_are_chosen_where_the_fastest_have_no_room(image, monkeypatch):
    assert fitting_packing(image, BOARD) == "int16"
    with_part(monkeypatch, image_room_bytes=len(image) + 2500)
    assert fitting_packing(image, BOARD) == "int8"


def test_a_model_too_large_for_flash_is_refused_with_what_would_fit(image, monkeypatch):
    with_part(monkeypatch, image_room_bytes=len(image) // 2)
    expected = r"too large for mps2-an386 .* bytes as int8, at most [\d,]+ fit; a network of \d\d % of its"
    with pytest.raises(ModelError, match=expected):
        fitting_packing(image, BOARD)


@needs_tools
def test_a_model_too_large_for_ram_is_told_of(image, monkeypatch):
    with_part(monkeypatch, ram_bytes=1000)
    refused = measure_boards(image, 1000, [BOARD])[BOARD]["refused"]
    assert "bytes of RAM with a calibration and the stack, 1,000 are there" in refused


@needs_tools
def test_an_export_for_a_board_is_packed_for_it_and_says_what_it_costs_there(tmp_path, capsys):
    main(["export", "grid15", "--out", str(tmp_path / "out"), "--board", BOARD])
    shown = capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert list(report["boards"]) == [BOARD]
    budget = report["boards"][BOARD]
    assert budget["bit_exact"]
    assert budget["packing"] == read_image((tmp_path / "out" / "gaze.psog").read_bytes()).packing == "int16"
    assert budget["flash_model_bytes"] == report["sizes"]["gaze.psog"]
    assert budget["other_packings"]["int8"]["flash_model_bytes"] < budget["flash_model_bytes"]
    assert f"{budget['instructions']:,}" in shown
    assert f"{budget['estimate']['share_of_period']:.1%} at 1000 Hz" in shown


def test_a_model_that_does_not_fit_its_board_leaves_nothing_behind(tmp_path, monkeypatch):
    with_part(monkeypatch, image_room_bytes=100)
    with pytest.raises(SystemExit, match="too large for mps2-an386"):
        main(["export", "grid15", "--out", str(tmp_path / "out"), "--board", BOARD])
    assert not (tmp_path / "out").exists()


def test_without_tools_the_export_says_in_one_line_what_was_not_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    main(["export", "grid15", "--out", str(tmp_path / "out")])
    line, signed = capsys.readouterr().err.splitlines()
    assert "signed with the development key: anybody can sign" in signed
    assert "were not measured" in line and "apt-get" not in line.split("install")[0]
    assert json.loads((tmp_path / "out" / "report.json").read_text())["boards"] == {}
