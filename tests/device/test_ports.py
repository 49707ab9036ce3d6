"""Headsets are told from others by what the system knows of a port, without touching it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from psog.device.ports import UsbId, find_ports, parse_usb_ids, ports_of, usb_id_of
from psog.device.running import Running, announced
from psog.errors import LinkError


@dataclass
class Plugged:
    """A serial port as the system lists it."""

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    product: str | None = None
    location: str | None = None


MODEM = Plugged("/dev/ttyACM0", 0x2C7C, 0x0125, "m1", "LTE modem")
BUILT_IN = Plugged("/dev/ttyS0")
PROBE = Plugged("/dev/ttyACM1", 0x0483, 0x374B, "066DFF51", "STM32 STLink")
OWN = Plugged("/dev/ttyACM2", 0x1209, 0x0001, "h7", "psog glasses12")


def found(tmp_path, *plugged: Plugged, claimed: str = "") -> list[tuple[str, bool]]:
    ports = find_ports(tmp_path, parse_usb_ids(claimed), lambda: plugged)
    return [(port.port, port.is_headset) for port in ports]


def test_ports_of_other_things_are_not_listed(tmp_path):
    assert found(tmp_path, MODEM, BUILT_IN) == []


def test_a_headset_with_usb_of_its_own_is_known_by_its_product(tmp_path):
    assert found(tmp_path, MODEM, OWN) == [("/dev/ttyACM2", True)]


def test_behind_a_debug_probe_may_be_anything(tmp_path):
    assert found(tmp_path, PROBE) == [("/dev/ttyACM1", False)]


def test_behind_an_adapter_may_be_anything(tmp_path):
    assert found(tmp_path, Plugged("/dev/ttyUSB0", 0x0403, 0x6001)) == [("/dev/ttyUSB0", False)]


@pytest.mark.parametrize(
    ("claimed", "is_headset"),
    [("0483:374b", True), ("0483:374B:066DFF51", True), ("0483:374b:other", False), ("1209:0001", False)],
)
def test_a_probe_is_a_headset_when_its_owner_says_so(tmp_path, claimed, is_headset):
    assert found(tmp_path, PROBE, claimed=claimed) == [("/dev/ttyACM1", is_headset)]


def test_any_usb_device_can_be_claimed(tmp_path):
    assert found(tmp_path, MODEM, claimed="0483:374b, 2c7c:0125:m1") == [("/dev/ttyACM0", True)]


@pytest.mark.parametrize("text", ["0483", "0483:374", "ttyACM0", "0483:374b:", "0483-374b"])
def test_what_is_no_usb_id_is_refused(text):
    with pytest.raises(LinkError, match="is no USB id"):
        parse_usb_ids(text)


def test_a_virtual_headset_is_found_while_its_port_exists(tmp_path):
    port = tmp_path / "pts7"
    port.touch()
    with announced(tmp_path, Running(str(port), "host", "ring16")):
        assert found(tmp_path) == [(str(port), True)]
        port.unlink()
        assert found(tmp_path) == []


def test_a_device_is_found_again_under_another_name():
    before, after = (Plugged(name, 0x1209, 1, "h7", "psog") for name in ("/dev/ttyACM2", "/dev/ttyACM5"))
    usb = usb_id_of("/dev/ttyACM2", lambda: [MODEM, before])
    assert usb == UsbId(0x1209, 1, "h7")
    assert ports_of(usb, lambda: [MODEM, after]) == ["/dev/ttyACM5"]
    assert ports_of(usb, lambda: [MODEM]) == []


def test_the_two_ports_of_one_probe_are_not_mixed_up():
    ports = [Plugged(f"/dev/ttyACM{i}", 0x1366, 0x0105, "7", location=f"1-4:1.{2 * i}") for i in range(2)]
    usb = usb_id_of("/dev/ttyACM1", lambda: ports)
    moved = [Plugged(f"/dev/ttyACM{3 - i}", 0x1366, 0x0105, "7", location=f"2-1:1.{2 * i}") for i in range(2)]
    assert usb is not None
    assert ports_of(usb, lambda: moved) == ["/dev/ttyACM2"]


def test_a_link_leads_to_its_device(tmp_path):
    target = tmp_path / "ttyACM1"
    target.touch()
    (tmp_path / "by-id").symlink_to(target)
    device = os.path.realpath(target)
    plugged = Plugged(device, PROBE.vid, PROBE.pid, PROBE.serial_number)
    assert usb_id_of(str(tmp_path / "by-id"), lambda: [plugged]) == UsbId(0x0483, 0x374B, "066DFF51")
