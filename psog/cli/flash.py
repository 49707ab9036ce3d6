"""`psog flash`: sends a model image to a headset over serial."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

if TYPE_CHECKING:
    from psog.device.answers import DeviceInfo
    from psog.device.client import Client


@dataclass(frozen=True)
class Command:
    """Send a model to a headset. The headset tests it first and keeps its old model when anything is wrong.

    A calibration belongs to its model: installing another model forgets it.
    """

    model: tyro.conf.Positional[Path]
    """Model folder or .psog image."""
    port: str
    """Serial port of the headset."""
    headset: str | None = None
    """TOML file of the headset, for a model folder whose headset is not built in."""
    other_headset: bool = False
    """Install it although the present model of the headset is for another kind of headset."""
    json: bool = False
    """Print {"port", "board", "headset", "model_crc32", "bytes"} as one JSON document."""

    def run(self) -> None:
        from psog.cli.matching import check_made_for
        from psog.device.client import open_headset
        from psog.firmware_export.image_file import load_image
        from psog.firmware_export.image_reader import read_image
        from psog.firmware_export.installing import image_for_headset
        from psog.headset import load_headset

        described = None if self.headset is None else load_headset(self.headset)
        image = load_image(self.model, described)
        made_for = read_image(image).headset
        with open_headset(self.port) as headset:
            present = headset.info.headset
            if present and not self.other_headset:
                check_made_for(self.model, made_for, present)
            fitting = image_for_headset(image, headset.info)
            info = _upload(headset, fitting)
        self._report(info, len(fitting))

    def _report(self, info: DeviceInfo, image_bytes: int) -> None:
        result = {
            "port": self.port,
            "board": info.board,
            "headset": info.headset,
            "model_crc32": f"{info.model_crc32:08x}",
            "bytes": image_bytes,
        }
        if self.json:
            print(json.dumps(result))
        else:
            print(f"{self.port}: {info.board} runs {info.headset} model {info.model_crc32:08x}")


def _upload(headset: Client, image: bytes) -> DeviceInfo:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("sending the model"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(image))
        return headset.upload(image, lambda done, _total: bar.update(task, completed=done))
