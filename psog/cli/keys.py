"""`psog keys`: keys that sign models, and who has signed one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class Command:
    """Make a key that signs models, show its public half, or look who has signed an image.

    psog keys new FILE writes a new key, which nobody but you may have, and prints its public half.
    psog keys public FILE prints it again: that is what a firmware is built to trust.
    psog keys check IMAGE says whether --by, or else the development key, has signed an image.
    """

    action: Positional[Literal["new", "public", "check"]]
    """What to do."""
    file: Positional[Path]
    """Key file; for check a .psog image."""
    by: str | None = None
    """For check: a public key, as psog keys public prints it, or a key file."""

    def run(self) -> None:
        from psog.errors import PsogError
        from psog.firmware_export.keys import new_key, read_key

        if self.by is not None and self.action != "check":
            raise PsogError("--by is for psog keys check")
        if self.action == "check":
            self._check()
        else:
            make = new_key if self.action == "new" else read_key
            print(make(self.file).public.hex())

    def _check(self) -> None:
        from psog.errors import ModelImageError
        from psog.firmware_export.image_file import load_image
        from psog.firmware_export.keys import DEVELOPMENT_KEY, is_signed_by, public_key

        if self.file.is_dir():
            raise ModelImageError(f"{self.file} is a folder; expected a .psog image")
        wanted = DEVELOPMENT_KEY.public if self.by is None else public_key(self.by)
        who = "the development key" if wanted == DEVELOPMENT_KEY.public else wanted.hex()
        if not is_signed_by(load_image(self.file), wanted):
            raise ModelImageError(f"{self.file} is not signed by {who}; name another key with --by")
        print(f"{self.file}: signed by {who}")
