"""How a command shows its page: the address in the terminal, and a browser where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from psog.web.server import LocalPage


def show_page(page: LocalPage, console: Console, *, browser: bool) -> None:
    """Print the page's address, with a warning if the network can reach it, and open a browser unless told
    not to or without a screen (a browser for terminals would take this one)."""
    import webbrowser

    console.print(page.address, style="bold", markup=False, highlight=False, soft_wrap=True)
    if not page.is_only_here:
        warning = (
            "anybody on the network can see and use it who has this address, with this computer's own in "
            "place of 127.0.0.1; it is not encrypted"
        )
        console.print(f"careful: {warning}", highlight=False, soft_wrap=True)
    if browser and _has_screen() and not webbrowser.open(page.address):
        console.print("no browser opened; open the address in one", highlight=False)


def _has_screen() -> bool:
    import os
    import sys

    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
