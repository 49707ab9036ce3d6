"""`psog devices`: what is connected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psog.device.ports import Port


@dataclass(frozen=True)
class Command:
    """List the headsets that are connected or run virtually, and the ports behind which one may be.

    They are told by their USB ids; no port is opened. A debug probe's or adapter's port may be any project's:
    it counts as a headset where PSOG_USB names it, as vendor:product or vendor:product:serial, several with
    commas.
    """

    json: bool = False
    """Print a list of {"port", "kind", "headset", "what", "usb_id", "serial_number"} as one JSON document;
    "headset" says whether it is one for sure."""

    def run(self) -> None:
        from psog.cli.ports import connected

        found = connected()
        if self.json:
            print(json.dumps([_values(port) for port in found]))
        elif not found:
            print("no headset is connected; psog virtual starts one")
        else:
            _print_table(found)


def _values(port: Port) -> dict[str, Any]:
    usb = port.usb
    return {
        "port": port.port,
        "kind": port.kind,
        "headset": port.is_headset,
        "what": port.what,
        "usb_id": usb and f"{usb.vendor:04x}:{usb.product:04x}",
        "serial_number": usb and usb.serial_number,
    }


def _print_table(found: list[Port]) -> None:
    width = max(len(port.port) for port in found)
    for port in found:
        which = f"  {port.usb}" if port.usb else ""
        remark = "" if port.is_headset else "  (perhaps a headset; see psog devices --help)"
        print(f"{port.port:<{width}}  {port.what}{which}{remark}")
