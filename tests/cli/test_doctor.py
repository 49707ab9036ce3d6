"""`psog doctor`: what is here is found, and what is missing comes with the command that brings it."""

import importlib.util
import json
import re

import pytest

from psog.cli.main import main
from psog.firmware_export.silicon import SILICON
from psog.probe.udev import USB_DEVICES

RULE = re.compile(
    r'SUBSYSTEM=="(usb|tty|hidraw)"(, (ENV\{DEVTYPE\}|ATTRS?\{\w+\})=="[^"]+")+, MODE="0660", '
    r'GROUP="(plugdev|dialout)", TAG\+="uaccess"(, ENV\{ID_MM_DEVICE_IGNORE\}="1")?'
)


def findings(capsys):
    main(["doctor", "--json"])
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)["findings"]}


def test_programs_are_looked_for_where_this_user_finds_them(capsys, monkeypatch, tmp_path):
    (tmp_path / "gcc").write_text("")
    (tmp_path / "gcc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = findings(capsys)
    assert found["gcc"] == {
        "name": "gcc",
        "found": str(tmp_path / "gcc"),
        "serves": "simulator, firmware on this computer",
        "fix": "",
    }
    missing = found["qemu-system-arm"]
    assert (missing["found"], missing["fix"]) == (None, "sudo apt-get install qemu-system-arm")


def test_an_extra_that_is_missing_comes_with_its_pip_command(capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "av" else find(name))
    row = findings(capsys)["av"]
    assert (row["found"], row["fix"]) == (None, "pip install 'psog[video]'")


def test_a_gpu_is_what_its_driver_says(capsys, monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for script, found in (("echo 'Some GPU'; echo 'Other GPU'", "Some GPU, Other GPU"), ("exit 9", None)):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        row = findings(capsys)["GPU"]
        assert row["found"] == found
        assert bool(row["fix"]) == (found is None)


def test_what_live_gaze_needs_is_looked_for(capsys):
    rows = findings(capsys)
    assert {"starlette", "websockets", "pylsl", "chromium", "udev rules"} <= set(rows)
    assert rows["udev rules"]["found"] or rows["udev rules"]["fix"].startswith("psog doctor --emit-udev |")


def test_every_thing_is_here_or_has_a_fix(capsys):
    rows = findings(capsys)
    assert len(rows) >= 11
    assert all((row["found"] is None) == bool(row["fix"]) for row in rows.values())


def test_the_text_has_a_line_for_each(capsys):
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(findings(capsys))
    assert all(re.search(r"  (missing: )?\S", line) for line in lines)


def test_udev_rules_cover_every_device_and_are_well_formed(capsys):
    main(["doctor", "--emit-udev"])
    lines = capsys.readouterr().out.splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert [rule for rule in rules if RULE.fullmatch(rule) is None] == []
    assert len(rules) == sum(len(device.products) or 1 for device in USB_DEVICES) + 2
    for device in USB_DEVICES:
        assert re.fullmatch("[0-9a-f]{4}", device.vendor)
        assert all(re.fullmatch("[0-9a-f]{4}", product) for product in device.products)
        assert device.source
    assert len(set(rules)) == len(rules)


def test_parts_that_a_probe_writes_are_looked_for_in_pyocd(capsys):
    pytest.importorskip("pyocd", reason="the extra psog[flash] is not installed")
    row = findings(capsys)["pyOCD's STM32F405RG"]
    assert row["found"] or row["fix"] == f"pyocd pack install {SILICON['netduinoplus2'].target}"


@pytest.mark.parametrize(("vendor", "told"), [("0x10de", True), ("0x1af4", False)])
def test_a_driver_is_missing_only_where_there_is_a_gpu(vendor, told, capsys, monkeypatch, tmp_path):
    device = tmp_path / "devices" / "0000:00:02.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    monkeypatch.setattr("psog.cli.checks._PCI_DEVICES", tmp_path / "devices")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ("GPU" in findings(capsys)) == told
