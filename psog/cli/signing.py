"""What commands that send or write a model say about its signature."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psog.firmware_export.keys import SigningKey


def named_key(path: Path | None) -> SigningKey | None:
    """The key of a file, if one is named.

    Raises:
        SigningKeyError: it is no key file.
    """
    from psog.firmware_export.keys import read_key

    return None if path is None else read_key(path)


def announce_signer(image: bytes) -> None:
    """Say it, on stderr, when the development key has signed an image."""
    from psog.firmware_export.keys import DEVELOPMENT_KEY, is_signed_by

    if is_signed_by(image, DEVELOPMENT_KEY.public):
        print(
            "signed with the development key: anybody can sign for a headset that takes it; "
            "psog keys new FILE makes a key of your own",
            file=sys.stderr,
        )
