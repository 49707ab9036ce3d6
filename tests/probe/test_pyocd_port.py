"""What can be known of writing through pyOCD without a probe: which it takes, and which parts it knows."""

from dataclasses import replace

import pytest

pytest.importorskip("pyocd", reason="the extra psog[flash] is not installed")

from pyocd.probe.debug_probe import DebugProbe

from psog.errors import ProbeError
from psog.firmware_export.silicon import SILICON
from psog.probe import pyocd_port
from psog.probe.pyocd_port import choose_probe, knows, open_probe

PART = SILICON["netduinoplus2"]


class Unplugged(DebugProbe):
    """A probe that pyOCD can make a session of, and that fails like one that was pulled out."""

    description = "a probe"
    vendor_name = "nobody"
    product_name = "a probe"
    capabilities = frozenset()

    def __init__(self, unique_id):
        super().__init__()
        self._unique_id = unique_id

    @property
    def unique_id(self):
        return self._unique_id

    def open(self):
        from pyocd.core.exceptions import ProbeDisconnected

        raise ProbeDisconnected("no such device")

    def close(self):
        pass


def test_without_a_probe_it_is_said_what_to_do():
    with pytest.raises(ProbeError, match=r"no debug probe is connected, .* psog doctor --emit-udev"):
        choose_probe([], None)
    with pytest.raises(ProbeError, match="no debug probe with '1234' in its serial number"):
        choose_probe([], "1234")


def test_of_several_probes_one_has_to_be_named():
    with pytest.raises(ProbeError, match=r"2 debug .* one \(a probe\), two \(a probe\); .* --probe-id"):
        choose_probe([Unplugged("one"), Unplugged("two")], None)


def test_a_part_is_known_by_its_name_in_pyocd():
    assert knows(replace(PART, target="stm32f429xi"))  # built in
    assert not knows(replace(PART, target="stm32f4"))


def test_a_part_that_needs_a_pack_says_which(monkeypatch):
    monkeypatch.setattr(pyocd_port, "connected_probes", lambda probe_id: [Unplugged("one")])
    unknown = replace(PART, target="no_such_part")
    with (
        pytest.raises(ProbeError, match=r"Keil.STM32F4xx_DFP; .*: pyocd pack install no_such_part"),
        open_probe(unknown),
    ):
        pass


def test_a_probe_that_fails_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(pyocd_port, "connected_probes", lambda probe_id: [Unplugged("one")])
    known = replace(PART, target="cortex_m")
    with (
        pytest.raises(ProbeError, match=r"a probe \(one\) could not connect .*no such device"),
        open_probe(known),
    ):
        pass
