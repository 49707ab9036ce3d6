"""Which port a command opens when nobody names one. Nothing is opened to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psog.device.ports import Port

CLAIMS = "PSOG_USB"
"""Environment variable: USB ids that are headsets, vendor:product or vendor:product:serial, with commas."""


def connected() -> list[Port]:
    """The headsets, and what may be one.

    Raises:
        LinkError: PSOG_USB cannot be understood.
    """
    import os

    from psog.device.ports import find_ports, parse_usb_ids
    from psog.device.running import runtime_folder

    return find_ports(runtime_folder(os.environ), parse_usb_ids(os.environ.get(CLAIMS, "")))


def virtual_ports() -> list[str]:
    """Names of the ports that virtual headsets have now."""
    import os

    from psog.device.running import running, runtime_folder

    return [headset.port for headset in running(runtime_folder(os.environ))]


def headset_port(given: str | None) -> str:
    """The port that was given, else that of the only headset; says on stderr which that is.

    Raises:
        LinkError: there is no headset, or more than one.
    """
    from rich.console import Console

    from psog.errors import LinkError

    if given is not None:
        return given
    found = connected()
    headsets = [port for port in found if port.is_headset]
    if len(headsets) > 1:
        raise LinkError(f"{len(headsets)} headsets are connected: {_listed(headsets)}; name one with --port")
    if not headsets and found:
        example = next(str(port.usb) for port in found if port.usb)
        raise LinkError(
            f"no headset is found; behind {_listed(found)} may be one: name it with --port, "
            f"or have it found from now on with {CLAIMS}={example}"
        )
    if not headsets:
        raise LinkError(
            "no headset is found; connect one, start one with psog virtual, or name its port with --port"
        )
    (only,) = headsets
    Console(stderr=True).print(f"{only.port}: {only.what}", highlight=False, soft_wrap=True)
    return only.port


def _listed(ports: list[Port]) -> str:
    return ", ".join(f"{port.port} ({port.what}{f', {port.usb}' if port.usb else ''})" for port in ports)
