"""Which port a command opens: the one that was named, or that of the only headset."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psog.device.ports import Port


def connected() -> list[Port]:
    """See psog.device.finding."""
    from psog.device import finding

    return finding.connected(os.environ)


def virtual_ports() -> list[str]:
    """See psog.device.finding."""
    from psog.device import finding

    return finding.virtual_ports(os.environ)


def headset_port(given: str | None) -> str:
    """The port that was given, else that of the only headset; says on stderr which that is.

    Raises:
        LinkError: there is no headset, or more than one.
    """
    from rich.console import Console

    from psog.device.finding import only_headset

    if given is not None:
        return given
    only = only_headset(os.environ, "--port")
    Console(stderr=True).print(f"{only.port}: {only.what}", highlight=False, soft_wrap=True)
    return only.port
