"""`psog-calibrate`: fits a headset to its wearer, or a virtual one to a simulated wearer."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from psog.cli.main import run_command
from psog.cli.virtual_headset import check_virtual_only, described_headset, port_to_open
from psog.errors import PsogError
from psog.files import check_can_be_written
from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    from rich.console import Console

    from psog.calibration.connection import Connection
    from psog.calibration.events import Judged
    from psog.calibration.report import CalibrationReport
    from psog.calibration.session import Settings
    from psog.headset import Headset


@dataclass(frozen=True)
class Command:
    """Fit a headset to its wearer: look at some targets, let the headset solve, judge the result, keep it.

    On a page in the browser; as text where there is no terminal, with --yes, --reject or --json, or without
    the page's packages. A result that is not better than what is in use is never kept, and why is told. For
    a better one the wearer is asked; where nobody can be, it is kept. Ctrl-C stops without harm (exit
    status 130).
    """

    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    virtual: bool = False
    """Calibrate a virtual headset with a simulated wearer instead."""
    terminal: bool = False
    """Text in the terminal instead of a page."""
    no_browser: bool = False
    """Print the page's address, and open it yourself."""
    page_port: int = 0
    """Of the page's address on this computer; 0 takes a free one."""
    targets: Literal["page", "headset", "external"] | None = None
    """Who draws the targets: the page, the headset's own display, or a renderer of yours (by websocket or
    OSC: docs/calibration.md). By default the page, where there is one."""
    osc: str | None = None
    """HOST:PORT of a renderer that speaks OSC, for --targets external."""
    distance_cm: float | None = None
    """From the eyes to the screen, with --screen-cm."""
    screen_cm: str | None = None
    """Width and height of the picture on the screen, as in 53x30."""
    screen_deg: str | None = None
    """Instead of both: degrees that the screen spans, width and height, as through a lens; as in 90x80."""
    display: int = 0
    """Which display the page fills, from 1 (Chromium asks for permission); 0: the one its window is on."""
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
    points: Literal[1, 5, 9, 13] = 9
    """Calibration targets."""
    seed: int | None = None
    """Order of the targets; drawn anew, and told in the report, unless given."""
    yes: bool = False
    """Keep the result without asking, if it is better."""
    reject: bool = False
    """Do not keep the result; only measure."""
    user: str | None = None
    """Keep what is stored in the headset on this computer too, as a profile of this name (psog profiles),
    with what the sensors read at the targets: by it psog view tells whether the headset has moved since."""
    report: Path | None = None
    """Write the report to this JSON file."""
    html: Path | None = None
    """Write the report to this HTML file, to look at and to print."""
    json: bool = False
    """Print the report as one JSON document."""

    def run(self) -> None:
        from rich.console import Console

        from psog.calibration.html_report import write_html_report
        from psog.calibration.report import write_report

        self._check()
        # A stop by the system ends as Ctrl-C does: through every clean-up.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with self._port() as port:
            report = self._calibrated(port, Console(stderr=True))
        if report is None:
            raise KeyboardInterrupt  # the wearer stopped: as with Ctrl-C
        if self.json:
            print(json.dumps(report.to_json(), allow_nan=False))
        with ExitStack() as each:  # one that cannot be written does not keep the other from it
            if self.html is not None:
                each.callback(write_html_report, report, self.html)
            if self.report is not None:
                each.callback(write_report, report, self.report)

    def _check(self) -> None:
        from psog.calibration.profiles import check_profile_can_be_saved, profiles_folder

        for_virtual = {
            "model": self.model,
            "board": self.board,
            "user-seed": self.user_seed,
            "flash": self.flash,
        }
        check_virtual_only(self.virtual, self.port, for_virtual)
        if self.yes and self.reject:
            raise PsogError("--yes and --reject contradict each other; give one of them")
        if self.seed is not None and self.seed < 0:
            raise PsogError(f"--seed is {self.seed}; expected 0 or more")
        for option, path in (("--report", self.report), ("--html", self.html)):
            if path is not None:
                check_can_be_written(path, option)
        if self.user is not None:
            check_profile_can_be_saved(profiles_folder(os.environ), self.user)
        if self.osc is not None and self.targets != "external":
            raise PsogError("--osc names a renderer; add --targets external or leave it out")
        if self.terminal and self.targets in ("page", "external"):
            raise PsogError(f"--terminal has no page, --targets {self.targets} needs one; leave one out")
        self._check_page()

    def _check_page(self) -> None:
        from psog.cli.calibrate_page import check_screen

        if not 0 <= self.page_port < 1 << 16:
            raise PsogError(f"--page-port is {self.page_port}; expected 1 to 65535, or 0 for a free one")
        if self.display < 0:
            raise PsogError(f"--display is {self.display}; expected 1 or more, or 0 for the window's own")
        if self.terminal and (self.page_port or self.display):
            raise PsogError("--terminal has no page; leave out --page-port and --display")
        if (self.distance_cm is None) != (self.screen_cm is None):
            raise PsogError("--distance-cm and --screen-cm belong together; give both, or --screen-deg")
        if self.screen_deg is not None and self.screen_cm is not None:
            raise PsogError("--screen-deg and --screen-cm say the same; give one of them")
        check_screen(self)

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

    def _calibrated(self, port: str, console: Console) -> CalibrationReport | None:
        from psog.calibration.connection import Connection
        from psog.calibration.profiles import profiles_folder, save_profile
        from psog.calibration.session import require_model
        from psog.cli.ports import virtual_ports

        with Connection(port, virtual=virtual_ports) as connection:
            require_model(connection.client)
            headset = described_headset(connection.client.info, port, self.headset)
            lead = self._on_the_page if self._on_page(console) else self._in_the_terminal
            report = lead(connection, headset, console)
            if report is not None and report.accepted and self.user is not None:
                folder = profiles_folder(os.environ)
                told, looks = report.to_json(), report.looks
                save_profile(connection.client, self.user, told, looks=looks, folder=folder)
            return report

    def _in_the_terminal(
        self, connection: Connection, headset: Headset, console: Console
    ) -> CalibrationReport:
        from psog.calibration.guide import run_session
        from psog.calibration.targets import plan_targets
        from psog.calibration.terminal import TerminalFollower

        plan = plan_targets(self.points, headset.field_deg, self._order)
        follower, settings = TerminalFollower(console, headset.field_deg), self._settings(headset)
        if self.yes or self.reject or self.json or not sys.stdin.isatty():
            return run_session(
                connection.client, plan, settings, lambda judged: self._keep(console), follower
            )
        from psog.calibration.terminal_keys import TerminalKeys

        keys = TerminalKeys()

        def decide(judged: Judged) -> bool:
            keys.stop()
            return self._keep(console)

        console.print("space pauses and goes on, R takes the last point again", highlight=False)
        return run_session(connection.client, plan, settings, decide, follower, attending=keys.of)

    def _on_the_page(
        self, connection: Connection, headset: Headset, console: Console
    ) -> CalibrationReport | None:
        from psog.calibration.targets import plan_targets
        from psog.cli.calibrate_page import PageOptions, calibrate_on_page, viewing_of

        options = PageOptions(
            browser=not self.no_browser,
            port=self.page_port,
            display=self.display,
            drawn=self.targets or "page",
            osc=self.osc,
            simulated=self.virtual,
        )
        viewing = viewing_of(self, headset, options)
        reach_deg = viewing.reach_deg() or headset.field_deg
        plan = plan_targets(self.points, headset.field_deg, self._order, reach_deg=reach_deg)
        return calibrate_on_page(
            connection, plan, self._settings(headset), viewing=viewing, options=options, console=console
        )

    def _settings(self, headset: Headset) -> Settings:
        from psog.calibration.session import FIXATION_S, Settings

        readings = max(2, round(FIXATION_S * headset.rate_hz))
        return Settings(readings=readings, keeps_readings=self.user is not None)

    @property
    def _order(self) -> int:
        """The seed of the order of the targets."""
        return secrets.randbits(32) if self.seed is None else self.seed

    def _on_page(self, console: Console) -> bool:
        if self.terminal:
            return False
        if self.no_browser or self.targets in ("page", "external"):
            return True
        if self.yes or self.reject or self.json or not sys.stdin.isatty():
            return False
        if importlib.util.find_spec("starlette") is None:
            console.print(
                "in the terminal; for a page in the browser: pip install 'psog[live]'", markup=False
            )
            return False
        return True

    def _keep(self, console: Console) -> bool:
        """Asked for a better result only."""
        if self.yes or self.reject:
            return self.yes
        if sys.stdin.isatty():
            return _ask(console)
        console.print("nobody to ask: keeping it, since it is more accurate than before")
        return True


def _ask(console: Console) -> bool:
    """Enter means yes; the end of input means no."""
    answers = {"": True, "y": True, "yes": True, "n": False, "no": False}
    while True:
        try:
            answer = console.input("keep? [Y/n] ", markup=False).strip().lower()
        except EOFError:
            return False
        if answer in answers:
            return answers[answer]


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `psog-calibrate` command."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    run_command("psog.cli.calibrate", words, "psog-calibrate")


if __name__ == "__main__":
    main()
