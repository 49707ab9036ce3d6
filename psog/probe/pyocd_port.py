"""The debug port of a part behind a probe that pyOCD knows (CMSIS-DAP, ST-LINK, J-Link, picoprobe).

Source: pyOCD 0.46, its Python API (docs/python_api_overview.md) and docs/options.md. It has not met hardware.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from psog.errors import MissingExtraError, ProbeError
from psog.firmware_export.silicon import Sector, Silicon

if TYPE_CHECKING:
    from pyocd.core.session import Session
    from pyocd.flash.flash import Flash
    from pyocd.probe.debug_probe import DebugProbe


class PyocdPort:
    """A part behind a probe, through an open session of pyOCD."""

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self._session = session
        self._target = session.target

    def halt(self) -> None:
        """Stop the core."""
        with _explained(self.name, "halt the core"):
            self._target.halt()

    def read(self, address: int, size: int) -> bytes:
        """Memory of a halted core."""
        with _explained(self.name, f"read {size} bytes at {address:#010x}"):
            return bytes(self._target.read_memory_block8(address, size))

    def erase(self, sector: Sector) -> None:
        """Make every byte of a sector an erased one."""
        flash = self._flash_at(sector.start)
        with _explained(self.name, f"erase the sector at {sector.start:#010x}"):
            flash.init(flash.Operation.ERASE)
            try:
                at = sector.start
                while at < sector.start + sector.size:  # pyOCD's own sectors may be smaller than the part's
                    info = flash.get_sector_info(at)
                    flash.erase_sector(info.base_addr)
                    at = info.base_addr + info.size
            finally:
                flash.cleanup()

    def program(self, address: int, data: bytes) -> None:
        """Write erased flash."""
        flash = self._flash_at(address)
        with _explained(self.name, f"program {len(data)} bytes at {address:#010x}"):
            page = flash.get_page_info(address).size
            flash.init(flash.Operation.PROGRAM)
            try:
                for at in range(address, address + len(data), page):
                    flash.program_phrase(at, data[at - address : at - address + page])
            finally:
                flash.cleanup()

    def run(self) -> None:
        """Reset the core and let it go."""
        with _explained(self.name, "reset the core"):
            self._target.reset()

    def _flash_at(self, address: int) -> Flash:
        region = self._target.memory_map.get_region_for_address(address)
        if region is None or not region.is_flash or region.flash is None:
            raise ProbeError(f"pyOCD knows no flash at {address:#010x} of this part; update its pack")
        return region.flash


@contextlib.contextmanager
def open_probe(part: Silicon, probe_id: str | None = None) -> Iterator[PyocdPort]:
    """Connect to a part; its core is halted. Gives the probe back at the end.

    Args:
        probe_id: the probe's serial number or a part of it; needed where there are several.
    Raises:
        MissingExtraError: pyOCD is not installed.
        ProbeError: no probe, several, no such part in pyOCD, or the part does not answer.
    """
    try:
        from pyocd.core import exceptions
        from pyocd.core.session import Session
    except ImportError:
        raise MissingExtraError("pyocd", "flash", "writing firmware through a debug probe") from None
    probe = choose_probe(connected_probes(probe_id), probe_id)
    name = f"the probe {probe.description} ({probe.unique_id})"
    try:
        session = Session(probe, options={"target_override": part.target, "connect_mode": "halt"})
    except exceptions.TargetSupportError as error:
        raise ProbeError(_unknown_target(part)) from error
    with _explained(name, f"connect to the {part.part}; check power and wires"):
        session.open()
    try:
        yield PyocdPort(session, name)
    finally:
        session.close()


def knows(part: Silicon) -> bool:
    """Whether pyOCD has a part built in or in an installed pack. Needs pyOCD."""
    from pyocd.target import TARGET
    from pyocd.target.pack.pack_target import ManagedPacks

    with _explained("pyOCD", "look through its packs"):
        packed = {device.part_number.lower() for device in ManagedPacks.get_installed_targets()}
    return part.target in TARGET or part.target in packed


def connected_probes(probe_id: str | None) -> list[DebugProbe]:
    """Probes that pyOCD finds now, those of that serial number when one is given."""
    from pyocd.core.helpers import ConnectHelper

    with _explained("pyOCD", "look for probes"):
        return list(ConnectHelper.get_all_connected_probes(blocking=False, unique_id=probe_id))


def choose_probe(probes: list[DebugProbe], probe_id: str | None) -> DebugProbe:
    """The one probe there is.

    Raises:
        ProbeError: none, or several.
    """
    if not probes:
        which = "" if probe_id is None else f" with {probe_id!r} in its serial number"
        raise ProbeError(
            f"no debug probe{which} is connected, or this user may not open it: plug one in, and see "
            "psog doctor --emit-udev"
        )
    if len(probes) > 1:
        found = ", ".join(f"{probe.unique_id} ({probe.description})" for probe in probes)
        raise ProbeError(f"{len(probes)} debug probes are connected: {found}; choose one with --probe-id")
    return probes[0]


def _unknown_target(part: Silicon) -> str:
    return (
        f"pyOCD does not know the {part.part}: it needs the pack {part.pack}; "
        f"install it with: pyocd pack install {part.target}"
    )


@contextlib.contextmanager
def _explained(name: str, what: str) -> Iterator[None]:
    """pyOCD's errors as one line."""
    from pyocd.core import exceptions

    try:
        yield
    except exceptions.Error as error:
        why = " ".join(str(error).split())
        raise ProbeError(f"{name} could not {what} ({why or type(error).__name__})") from error
