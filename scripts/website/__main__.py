"""`python -m scripts.website build`: the site, into build/site; `serve`: the same on a local port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scripts.laid_out import lay_out_package
from scripts.website.layout import lay_out
from scripts.website.offline import make_offline
from scripts.website.reference import filled

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    if sys.argv[1:] not in (["build"], ["serve"]):
        sys.exit("usage: python -m scripts.website build|serve")
    lay_out(ROOT, ROOT / "build" / "site-sources", filled)
    lay_out_package(ROOT, ROOT / "build" / "site-package")
    generate = [sys.executable, "-m", "zensical", sys.argv[1], "--strict"]
    run = subprocess.run(generate, cwd=ROOT, check=False)
    if run.returncode:
        sys.exit(run.returncode)
    if sys.argv[1] == "build":
        make_offline(ROOT / "build" / "site")
        print(f"open {ROOT / 'build' / 'site' / 'index.html'}")


if __name__ == "__main__":
    main()
