"""`psog bench view`: a thousand readings a second into the live view's page, in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.errors import LinkError, MissingExtraError, PsogError, ToolchainError

if TYPE_CHECKING:
    from playwright.sync_api import Page

_WAIT_MS = 120_000
_COUNT_PICTURES = """() => {
  window.picturesDrawn = 0;
  const next = () => { window.picturesDrawn += 1; requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""
_TOLD = """() => Object.fromEntries(["received", "missed", "lost", "latency", "rate"].map(
  (id) => [id, document.getElementById(id).textContent]))"""


@dataclass(frozen=True)
class ViewFigures:
    """What came of the readings.

    Attributes:
        seconds: by the clock of the headset, from the first reading in the browser to the last.
        read: readings that the headset took in that time; each one by its device time.
        in_browser: of these, how many reached the browser.
        on_page: how many the page has counted, and missed.
        link_lost: frames lost between headset and psog, as the page says.
        pictures_per_s: drawn by the browser.
        latency: from reading to picture, as the page says at the end.
        psog_cpu_percent: of a core, of `psog view`.
    """

    seconds: float
    read: int
    in_browser: int
    on_page: int
    missed: int
    link_lost: str
    rate: str
    pictures_per_s: float
    latency: str
    psog_cpu_percent: float


@dataclass(frozen=True)
class Command:
    """A virtual headset at 1 kHz, `psog view` in a process of its own, and chromium without a screen.

    Exits with 1 when a reading that the link delivered did not reach the page. Figures of time depend on the
    computer, on a browser without a graphics card most of all, and decide nothing.
    """

    seconds: float = 60.0
    """How long."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        if not 1 <= self.seconds <= 86_400:
            raise PsogError(f"--seconds is {self.seconds:g}; expected 1 to 86400")
        figures = asdict(_measure(self.seconds))
        if self.json:
            print(json.dumps(figures))
        else:
            for name, value in figures.items():
                print(f"{name:18}{value:>12,}" if not isinstance(value, str) else f"{name:18}{value:>12}")
        if figures["missed"] or (figures["link_lost"] == "none" and figures["read"] != figures["in_browser"]):
            raise LinkError(
                f"of {figures['read']:,} readings {figures['in_browser']:,} reached the browser, the page "
                f"missed {figures['missed']:,}; expected all and none on a link that lost none"
            )


def _measure(seconds: float) -> ViewFigures:
    from psog.firmware_export.image_file import load_image
    from psog.headset import load_headset
    from psog.virtual.headset import VirtualHeadset
    from psog.virtual.wearer import Wearer

    headset = load_headset("ring16")
    wearer = Wearer(headset, 1000)
    with (
        VirtualHeadset("host", wearer, image=load_image(Path("ring16"))) as virtual,
        _psog_view(virtual.port) as (process, address),
        _browser_page() as page,
    ):
        times_us: set[int] = set()
        page.on("websocket", lambda socket: socket.on("framereceived", lambda data: _take(times_us, data)))
        page.goto(address)
        page.wait_for_function(
            "() => document.getElementById('received').textContent !== '–'", timeout=_WAIT_MS
        )
        page.evaluate(_COUNT_PICTURES)
        began_s, cpu_s = time.monotonic(), _cpu_s(process.pid)
        page.wait_for_timeout(1000 * seconds)
        took_s = time.monotonic() - began_s
        pictures, cpu_s = page.evaluate("() => window.picturesDrawn"), _cpu_s(process.pid) - cpu_s
        told = page.evaluate(_TOLD)
    span_us = max(times_us) - min(times_us)
    return ViewFigures(
        round(span_us * 1e-6, 1),
        round(span_us * headset.rate_hz * 1e-6) + 1,
        len(times_us),
        _number(told["received"]),
        _number(told["missed"]),
        told["lost"],
        told["rate"],
        round(pictures / took_s, 1),
        told["latency"],
        round(100 * cpu_s / took_s, 1),
    )


@contextlib.contextmanager
def _psog_view(port: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "psog", "view", "--port", port, "--no-browser", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=None, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise LinkError("psog view has ended before it began; run it by hand to see why")
            yield process, json.loads(line)["address"]
        finally:
            process.terminate()


@contextlib.contextmanager
def _browser_page() -> Iterator[Page]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise MissingExtraError("playwright", "test", "a measurement in a browser") from error
    chromium = shutil.which("chromium")
    if chromium is None:
        raise ToolchainError("chromium is not installed; scripts/browser does it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        yield page
        browser.close()


def _take(times_us: set[int], data: Any) -> None:
    """The device times in a frame of psog.live.view_frame."""
    import numpy as np

    from psog.live.view_frame import HEADER

    if isinstance(data, str):
        return
    count, _, _, _, first_us, _ = HEADER.unpack_from(data)
    skipped = struct.calcsize(f"{4 * count}f")  # right, up, openness, expected error
    since_us = np.frombuffer(data, "<u4", count, HEADER.size + skipped)
    times_us.update((round(first_us) + since_us.astype(np.int64)).tolist())


def _cpu_s(process: int) -> float:
    """Processor time of a process so far. Source: proc(5), fields 14 and 15 of /proc/PID/stat."""
    after_name = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _number(text: str) -> int:
    return int(text.replace(",", ""))
