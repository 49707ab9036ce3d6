"""Which serial ports are headsets, told from USB ids and names alone: no port is opened to find out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from serial.tools import list_ports

from psog.device.running import running
from psog.errors import LinkError
from psog.probe.udev import USB_DEVICES


class SerialPortInfo(Protocol):
    """What the system knows of a serial port; pyserial's ListPortInfo. None where it does not know."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    product: str | None
    location: str | None


Listing = Callable[[], Iterable[SerialPortInfo]]
"""The serial ports of this computer; pyserial's comports, which reads names and USB descriptors only."""


class UsbId(NamedTuple):
    """A USB device: vendor and product, and if given the serial number of one among its kind.

    `interface` tells the serial ports of one device apart ("1.2"); None for a device that has just one.
    """

    vendor: int
    product: int
    serial_number: str | None = None
    interface: str | None = None

    def __str__(self) -> str:
        kind = f"{self.vendor:04x}:{self.product:04x}"
        return kind if self.serial_number is None else f"{kind}:{self.serial_number}"

    def covers(self, other: UsbId) -> bool:
        """Whether `other` is this one, or one of this kind."""
        pairs = zip(self, other, strict=True)
        return all(wanted is None or wanted == found for wanted, found in pairs)


class Port(NamedTuple):
    """A serial port that is a headset, or may be one.

    Attributes:
        port: name to open.
        kind: a virtual headset, or a USB device.
        is_headset: false for a debug probe's or an adapter's port, behind which something else may be.
        what: the device in words.
        usb: who it is on the USB; None for a virtual headset.
    """

    port: str
    kind: Literal["virtual", "usb"]
    is_headset: bool
    what: str
    usb: UsbId | None


OWN_PRODUCT = "psog"
"""A headset with USB of its own has a product string that begins so (docs/porting.md); any vendor's id."""

_CLAIM = re.compile(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?")


def parse_usb_ids(text: str) -> tuple[UsbId, ...]:
    """USB ids as their owner writes them: VENDOR:PRODUCT or VENDOR:PRODUCT:SERIAL, separated by commas.

    Raises:
        LinkError: one of them is something else.
    """
    ids = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        match = _CLAIM.fullmatch(word)
        if match is None:
            raise LinkError(
                f"{word!r} is no USB id; expected vendor:product or vendor:product:serial, "
                "as in 0483:374b or 0483:374b:066DFF51"
            )
        vendor, product, serial_number = match.groups()
        ids.append(UsbId(int(vendor, 16), int(product, 16), serial_number))
    return tuple(ids)


def usb_id(info: SerialPortInfo) -> UsbId | None:
    """Who a serial port is on the USB; None for one that is not a USB device's."""
    if info.vid is None or info.pid is None:
        return None
    _, colon, interface = (info.location or "").partition(":")
    return UsbId(info.vid, info.pid, info.serial_number or None, interface if colon else None)


def usb_id_of(port: str, listing: Listing = list_ports.comports) -> UsbId | None:
    """Who the port of this name, or that this link leads to, is on the USB now."""
    device = os.path.realpath(port)
    return next((usb_id(info) for info in listing() if info.device == device), None)


def ports_of(wanted: UsbId, listing: Listing = list_ports.comports) -> list[str]:
    """Names of the ports that this USB device, or devices of this kind, have now."""
    found = ((info.device, usb_id(info)) for info in listing())
    return sorted(device for device, usb in found if usb is not None and wanted.covers(usb))


def find_ports(
    runtime: Path, claimed: Sequence[UsbId] = (), listing: Listing = list_ports.comports
) -> list[Port]:
    """The headsets that are connected, virtual ones first, and the ports that may be headsets.

    Args:
        runtime: folder of the virtual headsets' files (psog.device.running).
        claimed: USB devices whose owner says that they are headsets.
    """
    virtual = [
        Port(found.port, "virtual", True, f"virtual {found.headset} on {found.board}", None)
        for found in running(runtime)
        if Path(found.port).exists()
    ]
    usb = (_usb_port(info, claimed) for info in sorted(listing(), key=lambda info: info.device))
    return [*virtual, *(port for port in usb if port is not None)]


def _usb_port(info: SerialPortInfo, claimed: Sequence[UsbId]) -> Port | None:
    usb = usb_id(info)
    if usb is None:
        return None
    passes_on = _passes_on(usb)
    is_own = (info.product or "").lower().startswith(OWN_PRODUCT)
    is_claimed = any(claim.covers(usb) for claim in claimed)
    if passes_on is None and not is_own and not is_claimed:
        return None
    return Port(info.device, "usb", is_own or is_claimed, info.product or passes_on or "USB device", usb)


def _passes_on(usb: UsbId) -> str | None:
    """The name of a debug probe or adapter, which passes some board's UART on; None for other devices.

    Behind it may be a headset, or any other project of its owner's: so it is listed, and opened only when
    its owner says that it is a headset.
    """
    vendor, product = f"{usb.vendor:04x}", f"{usb.product:04x}"
    fitting = (d for d in USB_DEVICES if d.vendor == vendor and (product in d.products or not d.products))
    return next((device.name for device in fitting), None)
