"""A site that needs nobody else's server: opened from a folder, search included."""

from __future__ import annotations

import re
from pathlib import Path

SHIM = re.compile(r"""<script src=["']?https://unpkg\.com/iframe-worker/shim["'][^>]*>\s*</script>""")
FETCHED = re.compile(
    r"""<(?:script|img|iframe)[^>]*\ssrc=["']?(https?:[^"' >]+)|<link[^>]*\shref=["']?(https?:[^"' >]+)"""
)


def make_offline(site: Path) -> None:
    """Put worker.js in the place of the one script that the theme takes from elsewhere.

    Raises:
        SystemExit: a page still fetches something.
    """
    own = f"<script>{(Path(__file__).parent / 'worker.js').read_text('utf-8')}</script>"
    for page in sorted(site.rglob("*.html")):
        text = SHIM.sub(lambda _: own, page.read_text("utf-8"))
        if left := fetched(text):
            raise SystemExit(f"{page.relative_to(site)} would fetch {left[0]}; the site is to work offline")
        page.write_text(text, "utf-8")


def fetched(html: str) -> list[str]:
    """Addresses on other servers that a browser loads when it shows the page."""
    return [first or second for first, second in FETCHED.findall(html)]
