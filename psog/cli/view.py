"""`psog view`: live gaze, signals and state of a headset as a page in the browser."""

from __future__ import annotations

import contextlib
import json
import math
import signal
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psog.cli.ports import virtual_ports
from psog.cli.virtual_headset import check_virtual_only, described_headset, port_to_open
from psog.errors import DeviceError, PsogError
from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    from psog.device.client import Client
    from psog.headset import Headset
    from psog.live.finishing import Finished
    from psog.live.hub import Hub
    from psog.live.recorder import Recorder
    from psog.live.shift import ShiftWatch
    from psog.live.view import LiveView


@dataclass(frozen=True)
class Command:
    """Show what a headset reads and where the eye looks, live, as a page in the browser, until Ctrl-C.

    The page is for this computer alone, at an address that nobody can guess; any number of people may have it
    open. A headset that is unplugged and comes back goes on. Nothing that is shown is stored, unless --record
    asks for it.
    """

    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    virtual: bool = False
    """View a virtual headset with a simulated wearer instead."""
    model: Path | None = None
    """Model folder, .psog image or name of a model that comes with psog (ring16), for --virtual."""
    board: BoardName | None = None
    """Board for --virtual; by default the Cortex-M4F in QEMU where installed, else this computer."""
    user_seed: int | None = None
    """Which simulated user wears the virtual headset (1000); none of them is ever trained on."""
    flash: Path | None = None
    """File that keeps the virtual headset's model and calibration from one run to the next."""
    headset: str | None = None
    """TOML file of a headset that is not built in."""
    record: Path | None = None
    """Record into this folder too, as psog record does, without the sensors' readings."""
    force: bool = False
    """With --record, replace a recording that is there."""
    seconds: float | None = None
    """Stop after this time; without it, Ctrl-C does."""
    no_browser: bool = False
    """Only print the address."""
    http_port: int = 0
    """Port of the page on this computer; a free one unless given."""
    bind: str = "127.0.0.1"
    """Address of this computer to serve the page at; others than this one let the network in."""
    json: bool = False
    """Print {"address"} as one JSON line."""

    def run(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise PsogError(f"--seconds is {self.seconds:g}; expected more than 0")
        for_virtual = {
            "model": self.model,
            "board": self.board,
            "user-seed": self.user_seed,
            "flash": self.flash,
        }
        if self.force and self.record is None:
            raise PsogError("--force replaces a recording; name it with --record")
        check_virtual_only(self.virtual, self.port, for_virtual)
        # A stop by the system ends as Ctrl-C does: through every clean-up.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt), self._port() as port:
            self._view(port)

    def _port(self) -> AbstractContextManager[str]:
        return port_to_open(
            port=self.port,
            virtual=self.virtual,
            model=self.model,
            board=self.board,
            user_seed=self.user_seed,
            flash=self.flash,
            headset=self.headset,
        )

    def _view(self, port: str) -> None:
        from psog.device.reconnecting import ReconnectingHeadset
        from psog.live.hub import Hub
        from psog.live.view import EVERY_S, LiveView

        with ReconnectingHeadset(port, virtual=virtual_ports) as connected:
            if not connected.info.headset:
                raise DeviceError(f"the headset at {port} has no model; send one with psog flash")
            described = described_headset(connected.info, port, self.headset)
            # A replayed recording may have been made without the readings.
            watch = self._shift_watch(connected.client, described)
            hub = Hub(connected, sensors=connected.info.sensors > 0, every_s=EVERY_S)
            with contextlib.ExitStack() as ending:
                recorder = self._recorder(hub, ending)
                rows = None if recorder is None else lambda: recorder.rows
                view = LiveView(
                    hub, described, bind=self.bind, port=self.http_port, recorded=rows, shift=watch
                )
                ending.enter_context(view)
                ending.enter_context(hub)
                self._show(view)
                with contextlib.suppress(KeyboardInterrupt):
                    hub.wait(self.seconds)
            if recorder is not None:
                self._tell(recorder.finished)

    def _shift_watch(self, client: Client, described: Headset) -> ShiftWatch | None:
        """None where nothing is known of shifts; a model given by its image has no folder to know it from."""
        from psog.cli.shift_watch import shift_watch

        folder = self.model if self.model is not None and self.model.is_dir() else None
        return shift_watch(client, folder, described) if client.info.sensors else None

    def _recorder(self, hub: Hub, ending: contextlib.ExitStack) -> Recorder | None:
        """Records everything from now on, until the end."""
        if self.record is None:
            return None
        from psog.live.hub import recorded
        from psog.live.recorder import Recorder

        recorder = Recorder(self.record, hub.headset.info, force=self.force)
        ending.enter_context(recorder)
        ending.enter_context(recorded(hub, recorder))
        return recorder

    def _tell(self, finished: Finished) -> None:
        from rich.console import Console

        line = f"{self.record}: {finished.rows:,} readings in {finished.seconds:.1f} s"
        Console(stderr=True).print(line, markup=False, highlight=False, soft_wrap=True)

    def _show(self, view: LiveView) -> None:
        from rich.console import Console

        from psog.cli.pages import show_page

        show_page(view.page, Console(stderr=True), browser=not self.no_browser)
        if self.json:
            print(json.dumps({"address": view.page.address}), flush=True)
