"""A calibration in a real browser, from the first page to the accepted report, by keyboard."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import WIDTH

if TYPE_CHECKING:
    from playwright.sync_api import Page

PROGRAM = [sys.executable, "-m", "psog.cli.calibrate"]
WEARER = ("--virtual", "--board", "host", "--no-browser", "--user-seed", "1003", "--seed", "4")


@contextmanager
def program(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """psog-calibrate and the address that it printed."""
    with subprocess.Popen(
        [*PROGRAM, *WEARER, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        try:
            said = ""
            while (found := re.search(r"http://\S+/", said)) is None:
                line = running.stderr.readline()
                assert line, f"ended without an address: {said}"
                said += line
            yield running, found[0]
        finally:
            running.terminate()


def test_from_the_first_page_to_the_accepted_report(page, tmp_path, pictures):
    began_s = time.monotonic()
    report = tmp_path / "report.json"
    with program("--points", "9", "--report", str(report), "--html", str(tmp_path / "report.html")) as (
        running,
        address,
    ):
        page.goto(address)
        title = functools.partial(page.locator, "#title")
        title(has_text="A simulated wearer has the headset on.").wait_for()
        pictures(page, "calibrate-start")
        page.keyboard.press("Space")
        page.locator("#progress", has_text="Target 4 of 9").wait_for()
        page.locator("#target:not([data-filled='0.0'])").wait_for()
        pictures(page, "calibrate-target")
        page.locator("body[data-state=result]").wait_for(timeout=60_000)
        headline = page.locator("#title").inner_text()
        assert re.fullmatch(r"(Good|Fair|Poor) — \d\.\d° \(was \d\.\d°\)", headline)
        assert page.locator("#targets tr").count() == 8
        assert page.locator("#picture circle.target").count() == 8
        assert page.get_by_role("button", name="is the worst: redo this one?").count() == 1
        pictures(page, "calibrate-result")
        page.keyboard.press("k")
        title(has_text="Kept: the headset knows you now.").wait_for()
        accepted_s = time.monotonic() - began_s
        assert running.wait(10) == 0
    found = json.loads(report.read_text("utf-8"))
    assert (found["points"], found["accepted"], len(found["validation_targets"])) == (9, True, 8)
    assert f"{found['accuracy_deg']:.1f}° (was {found['before_deg']:.1f}°)" in headline
    print(f"from program start to accepted, 9 points: {accepted_s:.1f} s")


def allow_displays(page: Page) -> None:
    """What a user says once to the browser's question. Playwright has no name for it."""
    told = page.context.new_cdp_session(page).send("Target.getTargetInfo")["targetInfo"]
    browser = page.context.browser
    assert browser is not None
    browser.new_browser_cdp_session().send(
        "Browser.grantPermissions",
        {"permissions": ["windowManagement"], "browserContextId": told["browserContextId"]},
    )


@pytest.mark.parametrize("allowed", [True, False])
def test_f_fills_the_display_that_was_asked_for_or_the_windows_own(page, allowed):
    """A browser without a window to move tells what it was asked for."""
    page.add_init_script("""
        const fill = Element.prototype.requestFullscreen;
        Element.prototype.requestFullscreen = function (options) {
          window.asked = options.screen ? [options.screen.left, options.screen.width] : "the window's";
          return fill.call(this, options);
        };""")
    if allowed:
        allow_displays(page)
    with program("--display", "2") as (_, address):
        page.goto(address)
        page.locator("#title", has_text="A simulated wearer has the headset on.").wait_for()
        page.keyboard.press("f")
        page.wait_for_function("() => document.fullscreenElement !== null")  # the page forbids eval
        assert page.evaluate("window.asked") == ([WIDTH, 1920] if allowed else "the window's")
        page.keyboard.press("f")
        page.wait_for_function("() => document.fullscreenElement === null")
