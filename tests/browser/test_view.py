"""The live view in a real browser, of the real firmware on this computer with a simulated wearer."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from psog.benchmarks.cable import Cable
from psog.calibration.targets import plan_targets
from psog.cli.shift_watch import shift_watch
from psog.device.client import open_headset
from psog.device.reconnecting import ReconnectingHeadset
from psog.firmware_export.image_file import load_image
from psog.headset import load_headset
from psog.live.batch import Batch
from psog.live.hub import Hub, Subscription
from psog.live.view import EVERY_S, LiveView
from psog.virtual.headset import VirtualHeadset
from psog.virtual.wearer import Wearer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

POLL_MS = 200
CANVASES = ("scene", "eye-and-sensors", "traces")
_WORN_S, _READINGS = 0.8, 200
"""For the picture: how long the wearer takes to find a target, and how many readings are taken of it."""


class Shown(NamedTuple):
    """A view, the cable of the headset that it shows, and what the page ought to know."""

    view: LiveView
    cable: Cable
    heard: Subscription


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    headset = load_headset("ring16")
    with (
        tempfile.TemporaryDirectory(prefix="psog-") as folder,  # short: the page shows it
        VirtualHeadset("host", Wearer(headset, 1000), image=load_image(Path("ring16"))) as virtual,
        Cable(virtual.port, link := Path(folder) / "headset") as cable,
    ):
        if "PSOG_SCREENSHOTS" in os.environ:
            calibrate(str(link), headset.field_deg)
        with ReconnectingHeadset(str(link)) as connected:
            hub = Hub(connected, sensors=True, every_s=EVERY_S)
            heard = hub.subscribe()
            watch = shift_watch(connected.client)
            with LiveView(hub, headset, shift=watch) as view, hub:
                yield Shown(view, cable, heard)


def calibrate(port: str, field_deg: tuple[float, float]) -> None:
    """As quickly as it goes, so that the documentation's picture is of a headset that knows its wearer."""
    with open_headset(port, timeout_s=5) as client:
        client.tune_begin()
        for target in plan_targets(9, field_deg, 1).calibration:
            client.show_target(target.h_deg, target.v_deg)
            time.sleep(_WORN_S)
            client.tune_target(target.h_deg, target.v_deg, _READINGS)
        client.hide_target()
        client.tune_solve()
        client.tune_accept()


def text(page: Page, place: str) -> str:
    return page.text_content(f"#{place}") or ""


def wait_for(page: Page, condition: str) -> None:
    """Until this JavaScript, in which `text` gives an element's, is true."""
    page.wait_for_function(
        f"() => {{ const text = (id) => document.getElementById(id).textContent; return {condition}; }}",
        timeout=60_000,
        polling=POLL_MS,
    )


def open_view(page: Page, shown: Shown, readings: int = 500) -> None:
    """Open it and let these many readings come."""
    page.goto(shown.view.page.address)
    wait_for(page, f"Number(text('received').replaceAll(',', '')) > {readings}")


def pixels(page: Page, canvas: str) -> str:
    return page.evaluate(f"document.getElementById('{canvas}').toDataURL()")


def wait_for_change(page: Page, canvas: str) -> None:
    before = pixels(page, canvas)
    page.wait_for_function(
        "([id, before]) => document.getElementById(id).toDataURL() !== before",
        arg=[canvas, before],
        polling=POLL_MS,
    )


def as_told(deg: float) -> str:
    """Degrees as the page writes them."""
    return f"{deg:.1f}°".replace("-0.0", "0.0").replace("-", "−")


def pictures_a_second(page: Page) -> float:
    return page.evaluate(
        """() => new Promise((done) => {
          const began = performance.now();
          let count = 0;
          const next = (now) => (now - began < 2000 ? (count += 1, requestAnimationFrame(next))
                                                    : done((1000 * count) / (now - began)));
          requestAnimationFrame(next);
        })"""
    )


def test_the_page_shows_what_the_headset_streams(page, shown, pictures, capsys):
    is_for_picture = "PSOG_SCREENSHOTS" in os.environ
    open_view(page, shown, readings=12_000 if is_for_picture else 500)
    for canvas in CANVASES:
        wait_for_change(page, canvas)
    pictures(page, "view")
    told = page.evaluate(
        """() => ({ t_us: Number(document.getElementById("gaze").dataset.tUs),
                    right: document.getElementById("right").textContent,
                    up: document.getElementById("up").textContent })"""
    )
    streamed = {}
    while told["t_us"] not in streamed:
        batch = shown.heard.take(10)
        assert batch is not None
        if isinstance(batch, Batch):
            streamed.update(zip(batch.t_us.tolist(), batch.gaze_deg.tolist(), strict=True))
    h_deg, v_deg = streamed[told["t_us"]]
    assert (told["right"], told["up"]) == (as_told(h_deg), as_told(v_deg))
    assert text(page, "status") == "live"
    assert text(page, "calibrated") == ("calibrated" if is_for_picture else "not calibrated")
    assert text(page, "shift-since") == "moved since the view began"
    if not is_for_picture:
        assert text(page, "shift") == "–"  # nobody has calibrated
    assert text(page, "headset") == "ring16"
    assert re.match(r"host · firmware \d+\.\d+ · model [0-9a-f]{8} · /", text(page, "device"))
    assert re.fullmatch(r"[\d,]+ Hz", text(page, "rate"))
    assert re.fullmatch(r"\d+ ms", text(page, "latency"))
    assert (text(page, "missed"), text(page, "away")) == ("0", "never")
    assert re.match(r"none|[\d,]+ \(", text(page, "lost"))  # a computer that is busy loses frames
    wait_for(page, "Number(text('saccades')) > 0 && Number(text('fixations')) > 0")
    with capsys.disabled():
        print(f"\n{pictures_a_second(page):.0f} pictures a second, {text(page, 'rate')}", end=" ")


def test_the_page_is_used_by_keyboard_and_heard(page, shown):
    open_view(page, shown)
    page.keyboard.press(" ")
    assert page.get_attribute("#pause", "aria-pressed") == "true"
    assert text(page, "announcement") == "Paused."
    page.wait_for_timeout(100)
    before, received = pixels(page, "traces"), text(page, "received")
    wait_for(page, f"text('received') !== '{received}'")
    assert pixels(page, "traces") == before
    page.keyboard.press("s")
    assert re.match(r"Gaze \d+\.\d° (left|right), \d+\.\d° (up|down), ± ", text(page, "announcement"))
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    page.keyboard.press("p")
    wait_for_change(page, "traces")
    page.keyboard.press("f")
    wait_for(page, "document.fullscreenElement !== null")
    page.keyboard.press("f")
    wait_for(page, "document.fullscreenElement === null")


def test_two_pages_see_the_headset_go_and_come_back(page, shown):
    other = page.context.new_page()
    for one in (page, other):
        open_view(one, shown)
    wait_for(page, "text('viewers') === '2'")
    shown.cable.pull(0)
    for one in (page, other):
        wait_for(one, "text('status') === 'headset gone'")
        assert "The headset has gone. Waiting for it" in text(one, "banner")
        assert text(one, "announcement") == text(one, "banner")
        assert one.is_visible("#banner")
    shown.cable.plug()
    for one in (page, other):
        wait_for(one, "text('status') === 'live' && text('away').startsWith('1 ×')")
        assert not one.is_visible("#banner")
        assert re.fullmatch(r"The headset is back after \d+(\.\d)? s\.", text(one, "announcement"))
        wait_for_change(one, "traces")
        assert text(one, "missed") == "0"
