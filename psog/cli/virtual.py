"""`psog virtual`: a headset without hardware, on a port that any client can open."""

from __future__ import annotations

import contextlib
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psog.errors import PsogError
from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    from psog.device.running import Running
    from psog.headset import Headset
    from psog.virtual.source import Source


@dataclass(frozen=True)
class Command:
    """Start a virtual headset and print the port to open; it runs until Ctrl-C or the recording's end.

    The real firmware runs on the board, and a simulated wearer looks where calibration targets appear.
    """

    board: BoardName | None = None
    """Where the firmware runs: on a core in QEMU (by default mps2-an386, a Cortex-M4F, where that is
    installed) or on this computer (host)."""
    model: Path | None = None
    """Model folder or .psog image to install."""
    headset: str | None = None
    """Built-in headset or TOML file; by default the model's, else ring16."""
    recording: Path | None = None
    """Feed this instead of a simulated wearer: a recording folder, or a grid15 file of psog_nn."""
    loop: bool = False
    """Begin the recording again at its end."""
    speed: float = 1.0
    """Device seconds per second."""
    user_seed: int = 1000
    """Which simulated user wears it; none of them is ever trained on."""
    flash: Path | None = None
    """File that keeps model and calibration from one run to the next."""
    json: bool = False
    """Print {"port", "board", "headset"} as one JSON line."""

    def run(self) -> None:
        from psog.cli.announcing import announced
        from psog.cli.boards import default_board
        from psog.device.running import Running
        from psog.firmware_export.image_reader import read_image
        from psog.headset import load_headset
        from psog.virtual.headset import VirtualHeadset

        if not 0 < self.speed <= 100:
            raise PsogError(f"--speed is {self.speed:g}; expected more than 0 and at most 100")
        if self.loop and self.recording is None:
            raise PsogError("--loop repeats a recording; name one with --recording")
        given = load_headset(self.headset) if self.headset else None
        image = self._image(given)
        headset = given or load_headset(read_image(image).headset if image else "ring16")
        board = self.board or default_board()
        source = self._source(headset)
        # A stop by the system ends as Ctrl-C does: through every clean-up.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with VirtualHeadset(board, source, image=image, flash=self.flash, speed=self.speed) as virtual:
            found = Running(virtual.port, board, headset.name)
            with announced(found), contextlib.suppress(KeyboardInterrupt):
                self._tell(found)
                virtual.wait()

    def _image(self, headset: Headset | None) -> bytes | None:
        from psog.cli.matching import check_made_for
        from psog.firmware_export.image_file import load_image
        from psog.firmware_export.image_reader import read_image

        if self.model is None:
            return None
        image = load_image(self.model, headset)
        if headset is not None:
            check_made_for(self.model, read_image(image).headset, headset.name)
        return image

    def _source(self, headset: Headset) -> Source:
        if self.recording is None:
            from psog.virtual.wearer import Wearer

            return Wearer(headset, self.user_seed)
        from psog.virtual.source import RecordedReadings, load_recording

        return RecordedReadings(load_recording(self.recording), headset, loop=self.loop)

    def _tell(self, found: Running) -> None:
        from rich.console import Console

        print(json.dumps(found._asdict()) if self.json else found.port, flush=True)
        remark = f"firmware on {found.board}, headset {found.headset}; Ctrl-C ends it"
        Console(stderr=True).print(remark, highlight=False)
