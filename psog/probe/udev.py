"""USB devices that psog works with on Linux, and the udev rules that let their users open them."""

from __future__ import annotations

from typing import Literal, NamedTuple


class UsbDevice(NamedTuple):
    """A debug probe or a serial adapter.

    Attributes:
        vendor: USB vendor id, four hexadecimal digits.
        products: product ids; empty for all of that vendor.
        source: the document that states them.
    """

    name: str
    kind: Literal["probe", "serial"]
    vendor: str
    products: tuple[str, ...]
    source: str


USB_DEVICES = (
    UsbDevice(
        "ST-LINK/V2, V2-1, V3",
        "probe",
        "0483",
        ("3748", "374a", "374b", "374e", "374f", "3752", "3753", "3754", "3755", "3757"),
        "ST STSW-LINK007, udev rules; pyOCD 0.46, probe/stlink/usb.py",
    ),
    UsbDevice("DAPLink", "probe", "0d28", ("0204",), "Arm DAPLink, source/usb"),
    UsbDevice("J-Link", "probe", "1366", (), "SEGGER, 99-jlink.rules"),
    UsbDevice(
        "Raspberry Pi Debug Probe, picoprobe",
        "probe",
        "2e8a",
        ("0004", "000c"),
        "Raspberry Pi, list of USB product ids (usb-pid)",
    ),
    UsbDevice("ST-LINK's serial port", "serial", "0483", ("374b", "374e", "3752", "3753"), "ST STSW-LINK007"),
    UsbDevice(
        "FTDI FT232R, FT2232H, FT4232H, FT232H, FT-X",
        "serial",
        "0403",
        ("6001", "6010", "6011", "6014", "6015"),
        "FTDI TN_100, USB vendor and product ids",
    ),
    UsbDevice("Stellaris evaluation board", "serial", "0403", ("bcd9",), "Linux, usb/serial/ftdi_sio_ids.h"),
    UsbDevice("Silicon Labs CP210x", "serial", "10c4", ("ea60", "ea70", "ea71"), "Silicon Labs AN721"),
    UsbDevice("WCH CH340, CH343, CH9102", "serial", "1a86", ("7523", "55d3", "55d4"), "WCH data sheets"),
    UsbDevice("Prolific PL2303", "serial", "067b", ("2303", "23a3"), "Prolific data sheets"),
)
"""Any probe that calls itself CMSIS-DAP has a rule of its own beside these."""

RULES_FILE = "/etc/udev/rules.d/70-psog.rules"
"""Before 73, where systemd-logind hands out what is tagged `uaccess`."""

_CMSIS_DAP = (
    "# CMSIS-DAP probes: the name of the product says so (Arm, CMSIS-DAP, USB requirements)",
    'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{product}=="*CMSIS-DAP*", '
    'MODE="0660", GROUP="plugdev", TAG+="uaccess"',
    'SUBSYSTEM=="hidraw", ATTRS{product}=="*CMSIS-DAP*", MODE="0660", GROUP="plugdev", TAG+="uaccess"',
)


def udev_rules() -> str:
    """Rules for all USB_DEVICES: whoever sits at the computer, and the groups plugdev and dialout, may open
    them, and ModemManager leaves them alone."""
    lines = [
        f"# psog: debug probes and serial adapters. psog doctor --emit-udev | sudo tee {RULES_FILE}",
        "# then: sudo udevadm control --reload && sudo udevadm trigger, and plug the device in again",
    ]
    for device in USB_DEVICES:
        lines += [f"# {device.name} ({device.source})"]
        lines += [_rule(device, product) for product in device.products or (None,)]
    return "\n".join([*lines, *_CMSIS_DAP, ""])


def _rule(device: UsbDevice, product: str | None) -> str:
    if device.kind == "serial":
        which = f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{device.vendor}", ATTRS{{idProduct}}=="{product}"'
        return f'{which}, MODE="0660", GROUP="dialout", TAG+="uaccess", ENV{{ID_MM_DEVICE_IGNORE}}="1"'
    which = f'SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", ATTR{{idVendor}}=="{device.vendor}"'
    if product is not None:
        which += f', ATTR{{idProduct}}=="{product}"'
    return f'{which}, MODE="0660", GROUP="plugdev", TAG+="uaccess"'
