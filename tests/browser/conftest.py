"""The browser of the pages' tests: Debian's chromium without a screen, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT = 1280, 800
_FLAGS = (
    "--no-sandbox",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    f"--screen-info={{{WIDTH}x{HEIGHT}}}{{1920x1080}}",
)
"""Containers have no user namespaces for the sandbox; what it would keep off here is psog's own pages.
There are two displays, side by side."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one file: Playwright keeps an event loop running meanwhile, and other tests want to have theirs."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed; scripts/browser does it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that knows nothing yet. Whatever it complains about fails the test."""
    with browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}) as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: said.type == "error" and faults.append(said.text))
        yield page
    assert faults == []


@pytest.fixture
def pictures() -> Callable[[Page, str], None]:
    """Takes a picture of the page for the documentation, where PSOG_SCREENSHOTS names a folder for it."""
    folder = os.environ.get("PSOG_SCREENSHOTS")

    def take(page: Page, name: str) -> None:
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png")

    return take
