"""psog-calibrate on a page in the browser, or by a renderer of one's own."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from psog.errors import CalibrationError

if TYPE_CHECKING:
    from rich.console import Console

    from psog.calibration.connection import Connection
    from psog.calibration.events import Event
    from psog.calibration.report import CalibrationReport
    from psog.calibration.session import Settings
    from psog.calibration.targets import TargetPlan
    from psog.calibration.viewing import Viewing
    from psog.headset import Headset

Drawn = Literal["page", "headset", "external"]
ALONE_S = 60.0
"""So long a calibration waits for its page to be opened again (a weak value)."""


@dataclass(frozen=True)
class PageOptions:
    """How the page is shown, and by whom the targets are drawn."""

    browser: bool
    port: int
    display: int
    drawn: Drawn
    osc: str | None
    simulated: bool
    """Whether a simulated wearer looks, and nobody at the page."""


def calibrate_on_page(
    connection: Connection,
    plan: TargetPlan,
    settings: Settings,
    *,
    viewing: Viewing,
    options: PageOptions,
    console: Console,
) -> CalibrationReport | None:
    """None when the wearer stopped.

    Raises:
        CalibrationError: the page was closed for too long.
    """
    from psog.calibration.guide import Guide
    from psog.calibration.lead import Lead, Role
    from psog.calibration.terminal import TerminalFollower
    from psog.cli.pages import show_page
    from psog.web.server import LocalPage

    info = connection.client.info
    setup = {
        "device": f"{info.headset} on {info.board} at {connection.client.port}",
        "simulated": options.simulated,
        "points": len(plan.calibration),
        "display": options.display,
        "field_deg": list(plan.field_deg),
    }
    page_lead = Lead(Role("page", options.drawn == "page"), setup, plan, viewing, ALONE_S)
    leads = [page_lead]
    with contextlib.ExitStack() as cleanup:
        if options.drawn == "external" and options.osc is None:
            leads.append(Lead(Role("renderer", draws=True), setup, plan, viewing, ALONE_S))
        observers = [lead.follow for lead in leads]
        drawing = next((lead.renderer for lead in leads if lead.draws), None)
        if options.osc is not None:
            from psog.calibration.osc import OscRenderer

            osc = cleanup.enter_context(OscRenderer(options.osc, viewing))
            observers.append(osc.renderer.follow)
            drawing = osc.renderer
        observers.append(TerminalFollower(console, plan.field_deg))

        def follow(event: Event) -> None:
            for observer in observers:
                observer(event)

        guide = Guide(connection.client, plan, settings, follow, display=drawing, reopen=connection.reopen)
        for lead in leads:
            port = options.port if lead is page_lead else 0
            served = cleanup.enter_context(LocalPage("psog.calibration.page", lead.channel, port=port))
            cleanup.enter_context(lead.leading(guide))
            if lead is page_lead:
                show_page(served, console, browser=options.browser)
            else:
                _say(console, f"renderer: {served.address.replace('http', 'ws', 1)}channel")
        if options.osc is not None:
            cleanup.enter_context(osc.leading(guide))
            _say(console, f"renderer: OSC to {options.osc}, acknowledged to port {osc.port}")
        report = guide.run()
    if report is None and any(lead.left_alone for lead in leads):
        raise CalibrationError(
            f"nobody had the page open for {ALONE_S:g} s: stopped; the headset keeps its last calibration"
        )
    return report


class Geometry(Protocol):
    """The options that say how a screen is looked at."""

    @property
    def distance_cm(self) -> float | None: ...
    @property
    def screen_cm(self) -> str | None: ...
    @property
    def screen_deg(self) -> str | None: ...


def viewing_of(given: Geometry, headset: Headset, options: PageOptions) -> Viewing:
    """How the page's screen is looked at; a picture of the field where nobody looks at it.

    Raises:
        CalibrationError: the page draws for a real eye, and nobody said how large.
    """
    from psog.calibration.viewing import Picture

    screen = check_screen(given)
    if screen is not None:
        return screen
    if options.simulated or options.drawn != "page":
        return Picture(headset.field_deg)
    raise CalibrationError(
        "how large the page's targets are to the eye is not known: give --distance-cm 60 and --screen-cm "
        "53x30 as measured, --screen-deg for a display behind a lens, or --targets headset or external"
    )


def check_screen(given: Geometry) -> Viewing | None:
    """The screen that was described, if any was.

    Raises:
        CalibrationError: it cannot be.
    """
    from psog.calibration.viewing import FlatScreen, LensScreen, parse_size

    if given.distance_cm is not None and given.screen_cm is not None:
        return FlatScreen(given.distance_cm, parse_size("--screen-cm", given.screen_cm))
    if given.screen_deg is not None:
        return LensScreen(parse_size("--screen-deg", given.screen_deg))
    return None


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
