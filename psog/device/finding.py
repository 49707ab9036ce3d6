"""Which port is opened when nobody names one. Nothing is opened to find out."""

from __future__ import annotations

from collections.abc import Mapping

from psog.device.ports import Port, find_ports, parse_usb_ids
from psog.device.running import running, runtime_folder
from psog.errors import LinkError

CLAIMS = "PSOG_USB"
"""Environment variable: USB ids that are headsets, vendor:product or vendor:product:serial, with commas."""


def connected(environment: Mapping[str, str]) -> list[Port]:
    """The headsets, and what may be one.

    Raises:
        LinkError: PSOG_USB cannot be understood.
    """
    return find_ports(runtime_folder(environment), parse_usb_ids(environment.get(CLAIMS, "")))


def virtual_ports(environment: Mapping[str, str]) -> list[str]:
    """Names of the ports that virtual headsets have now."""
    return [headset.port for headset in running(runtime_folder(environment))]


def only_headset(environment: Mapping[str, str], naming: str) -> Port:
    """The headset that is connected, if it is one alone.

    Args:
        naming: how the caller is told a port, for the error's advice: "--port".
    Raises:
        LinkError: there is no headset, or more than one.
    """
    found = connected(environment)
    headsets = [port for port in found if port.is_headset]
    if len(headsets) > 1:
        raise LinkError(
            f"{len(headsets)} headsets are connected: {_listed(headsets)}; name one with {naming}"
        )
    if not headsets and found:
        example = next(str(port.usb) for port in found if port.usb)
        raise LinkError(
            f"no headset is found; behind {_listed(found)} may be one: name it with {naming}, "
            f"or have it found from now on with {CLAIMS}={example}"
        )
    if not headsets:
        raise LinkError(
            f"no headset is found; connect one, start one with psog virtual, or name its port with {naming}"
        )
    return headsets[0]


def _listed(ports: list[Port]) -> str:
    return ", ".join(f"{port.port} ({port.what}{f', {port.usb}' if port.usb else ''})" for port in ports)
