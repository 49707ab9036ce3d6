"""`psog flash`: sends a model image to a headset over serial, or its firmware through a debug probe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from psog.errors import PsogError
from psog.firmware_export.silicon import ProbedBoardName

if TYPE_CHECKING:
    from psog.device.answers import DeviceInfo
    from psog.device.client import Client


@dataclass(frozen=True)
class Command:
    """Send a model to a headset. The headset tests it first and keeps its old model when anything is wrong.

    A calibration belongs to its model: installing another model forgets it. With --probe, write the firmware
    instead: models and calibrations stay where they are.
    """

    model: tyro.conf.Positional[Path | None] = None
    """Model folder or .psog image."""
    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    headset: str | None = None
    """TOML file of the headset, for a model folder whose headset is not built in; with --probe, file or name
    of the headset that the firmware is for: it takes no other's models, and drives its emitters so."""
    key: Path | None = None
    """Key file that signs the model, for a headset that trusts it (psog keys new); by default the development
    key. An image that another key has signed is sent as it is."""
    version: int | None = None
    """Version counter of a model folder's image: a headset takes no older one than it has confirmed."""
    other_headset: bool = False
    """Install it although the present model of the headset is for another kind of headset."""
    json: bool = False
    """Print {"port", "board", "headset", "model_crc32", "bytes", "resumed_at", "confirmed"} as one JSON
    document, resumed_at being how many bytes of an earlier, broken upload were used; with --probe
    {"board", "part", "probe", "bytes", "sectors", "trusts", "headset", "production"}."""
    probe: bool = False
    """Write the firmware through a debug probe, with pyOCD."""
    board: ProbedBoardName = "netduinoplus2"
    """With --probe: the board."""
    probe_id: str | None = None
    """With --probe: serial number of the probe, or a part of it, where there are several."""
    dry_run: bool = False
    """With --probe: say what would be written, and write nothing."""
    trust: tuple[str, ...] = ()
    """With --probe: one or two public keys (psog keys public), or key files, whose models the firmware takes;
    by default the development key, with which anybody can sign."""
    lean: Path | None = None
    """With --probe: the one model, a folder or .psog image, that the firmware has code for: smaller, and it
    refuses models that need other code (docs/budgets.md). A folder counts as psog flash would send it."""
    production: bool = False
    """With --probe: refuse to build what is not safe to hand out, without --trust and --headset."""

    def run(self) -> None:
        if self.probe:
            self._write_firmware()
        elif self.model is None:
            raise PsogError("a model is needed, or --probe; see psog flash --help")
        elif self.probe_id is not None or self.dry_run or self.trust or self.production or self.lean:
            raise PsogError(
                "--probe-id, --dry-run, --trust, --lean and --production are about firmware; add --probe"
            )
        else:
            self._send_model(self.model)

    def _write_firmware(self) -> None:
        from psog.cli.flash_firmware import write_firmware
        from psog.cli.signing import named_trust
        from psog.firmware_export.led_drive import led_drive
        from psog.headset import load_headset

        if self.model is not None or self.port is not None:
            raise PsogError("--probe writes the firmware, which needs no model and no --port; leave them out")
        if self.key is not None or self.version is not None:
            raise PsogError("--key and --version are of a model; a firmware has --trust")
        trust = named_trust(self.trust, self.headset, production=self.production)
        leds = None if self.headset is None else led_drive(load_headset(self.headset))
        write_firmware(
            self.board, trust, leds, self.probe_id, self.lean, dry_run=self.dry_run, as_json=self.json
        )

    def _send_model(self, model: Path) -> None:
        from psog.cli.matching import check_made_for
        from psog.cli.ports import headset_port
        from psog.cli.signing import announce_signer, named_key
        from psog.device.client import open_headset
        from psog.firmware_export.image_file import load_image
        from psog.firmware_export.image_reader import read_image
        from psog.firmware_export.installing import image_for_headset
        from psog.firmware_export.keys import DEVELOPMENT_KEY
        from psog.headset import load_headset

        described = None if self.headset is None else load_headset(self.headset)
        key = named_key(self.key)
        image = load_image(model, described, version=self.version, key=key)
        made_for = read_image(image).headset
        port = headset_port(self.port)
        with open_headset(port) as headset:
            present = headset.info.headset
            if present and not self.other_headset:
                check_made_for(model, made_for, present)
            fitting = image_for_headset(image, headset.info, key or DEVELOPMENT_KEY)
            info, resumed_at = _upload(headset, fitting)
        announce_signer(fitting)
        self._report(port, info, len(fitting), resumed_at)

    def _report(self, port: str, info: DeviceInfo, image_bytes: int, resumed_at: int) -> None:
        result = {
            "port": port,
            "board": info.board,
            "headset": info.headset,
            "model_crc32": f"{info.model_crc32:08x}",
            "bytes": image_bytes,
            "resumed_at": resumed_at,
            "confirmed": not info.trial,
        }
        if self.json:
            print(json.dumps(result))
            return
        resumed = f", resumed at {resumed_at:,} of {image_bytes:,} bytes" if resumed_at else ""
        confirmed = "on trial" if info.trial else "confirmed"
        model = f"{info.headset} model {info.model_crc32:08x}"
        print(f"{port}: {info.board} runs {model}, {confirmed}{resumed}")


def _upload(headset: Client, image: bytes) -> tuple[DeviceInfo, int]:
    """What the headset says afterwards, and how many bytes it had of an earlier upload."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("sending the model"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(image))
        begun_at: list[int] = []

        def advance(done: int, _total: int) -> None:
            begun_at.append(done)
            bar.update(task, completed=done)

        return headset.upload(image, advance), begun_at[0]
