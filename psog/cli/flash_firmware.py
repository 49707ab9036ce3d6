"""`psog flash --probe`: builds a board's firmware for its part and writes it through a debug probe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from psog.firmware_export.microcontrollers import MICROCONTROLLERS

if TYPE_CHECKING:
    from psog.firmware_export.lean import Lean
    from psog.firmware_export.led_drive import LedDrive
    from psog.firmware_export.silicon import Sector, Silicon
    from psog.firmware_export.trust import Trust
    from psog.probe.programming import Did, SectorPlan


def write_firmware(
    board: str,
    trust: Trust,
    leds: LedDrive | None,
    probe_id: str | None,
    lean: Path | None = None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Build, write, verify and start the firmware; report on standard output.

    Args:
        trust: whose models it takes.
        leds: how strongly it drives emitters; by default less than what is safe for the built-in headsets.
        lean: the model that it has code for; by default for all that its core runs.

    Raises:
        ToolchainError: it cannot be built.
        ModelError: that is no model, or it cannot be packed for the board.
        MissingExtraError: pyOCD is not installed.
        ProbeError: no probe or several, another part, or the part does not take it.
    """
    from psog.firmware_export.silicon import SILICON
    from psog.firmware_export.toolchain import build_board
    from psog.probe.elf import read_segments
    from psog.probe.programming import plan

    part = SILICON[board]
    held = None if lean is None else _needed(board, lean)
    program = build_board(board, silicon=True, trust=trust, leds=leds, lean=held)
    planned = plan(read_segments(program), part)
    if dry_run:
        written = _Written(board, part, trust, planned)
    else:
        written = _Written(board, part, trust, planned, *_write(part, probe_id, planned))
    print(json.dumps(written.document()) if as_json else written.text())


def _needed(board: str, model: Path) -> Lean:
    """What a model needs of a board's runtime."""
    from psog.firmware_export.image_file import load_image
    from psog.firmware_export.installing import image_for
    from psog.firmware_export.lean import lean_for
    from psog.firmware_export.toolchain import board_target

    part = MICROCONTROLLERS.get(board)
    room = None if part is None else part.image_room_bytes
    return lean_for(image_for(load_image(model), board_target(board).target.packings, room))


def _write(
    part: Silicon, probe_id: str | None, planned: Sequence[SectorPlan]
) -> tuple[str, dict[Sector, Did]]:
    from rich.console import Console

    from psog.probe.programming import write_program
    from psog.probe.pyocd_port import open_probe

    console = Console(stderr=True)
    with open_probe(part, probe_id) as port, console.status("") as status:
        did = write_program(
            port, planned, part, lambda what, sector: status.update(f"{what} {sector.start:#010x}")
        )
        return port.name, did


@dataclass(frozen=True)
class _Written:
    """What was written, or would be: then there is no probe and nothing was done."""

    board: str
    part: Silicon
    trust: Trust
    planned: Sequence[SectorPlan]
    probe: str | None = None
    did: Mapping[Sector, Did] = field(default_factory=dict)

    @property
    def used(self) -> int:
        return sum(sector.used for sector in self.planned)

    def document(self) -> dict[str, object]:
        sectors = [
            {"start": sector.start, "size": sector.size, "bytes": used, "did": self.did.get(sector)}
            for sector, _, used in self.planned
        ]
        return {
            "board": self.board,
            "part": self.part.part,
            "probe": self.probe,
            "bytes": self.used,
            "sectors": sectors,
            "trusts": [key.hex() for key in self.trust.keys],
            "headset": self.trust.headset,
            "production": self.trust.production,
        }

    def text(self) -> str:
        room = sum(sector.size for sector in self.part.program)
        lines = [f"{self.board} on {self.part.part}: {self.used:,} bytes of program, room for {room:,}"]
        for sector, _, used in self.planned:
            end = sector.start + sector.size
            did = self.did.get(sector, "would be written")
            lines.append(
                f"  {sector.start:#010x} to {end:#010x}  {used:>7,} of {sector.size:>7,} bytes  {did}"
            )
        if self.probe is not None:
            lines.append(f"verified and running; written by {self.probe}")
        return "\n".join(lines)
