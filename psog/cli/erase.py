"""`psog erase`: removes what a headset knows of its wearer."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psog.errors import PsogError

if TYPE_CHECKING:
    from psog.device.answers import DeviceInfo


@dataclass(frozen=True)
class Command:
    """Erase a headset's calibration. Its flash then holds no byte of a user, the model stays.

    A calibration is a user's gaze rows and biases: it says something of the shape of their eye. On a terminal
    it asks first.
    """

    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    yes: bool = False
    """Erase without asking."""
    json: bool = False
    """Print {"port", "board", "headset", "was_calibrated", "calibrated"} as one JSON document."""

    def run(self) -> None:
        from psog.cli.ports import headset_port
        from psog.device.client import open_headset

        with open_headset(headset_port(self.port)) as client:
            before = client.info
            if not self.yes and not _agreed(before, client.port):
                raise PsogError(f"nothing was erased on {client.port}: nobody said yes; give --yes to do it")
            client.calibration_erase()  # also where none is in use: one of another model may lie in flash
            after = client.hello()
        _report(client.port, before, after, as_json=self.json)


def _report(port: str, before: DeviceInfo, after: DeviceInfo, *, as_json: bool) -> None:
    result = {
        "port": port,
        "board": after.board,
        "headset": after.headset,
        "was_calibrated": before.calibrated,
        "calibrated": after.calibrated,
    }
    if as_json:
        print(json.dumps(result))
    elif before.calibrated:
        print(f"{port}: the calibration is erased; psog-calibrate makes a new one")
    else:
        print(f"{port}: no calibration was in use; what may have been left of one is erased")


def _agreed(info: DeviceInfo, port: str) -> bool:
    """Whether someone at a terminal says yes; nobody there means no."""
    if not sys.stdin.isatty():
        return False
    has = "the calibration" if info.calibrated else "what may be left of a calibration"
    print(
        f"erase {has} of the {info.headset or 'headset'} at {port}? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")
