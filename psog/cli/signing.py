"""What commands that send or write a model say about its signature."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psog.firmware_export.keys import SigningKey
    from psog.firmware_export.trust import Trust


def named_key(path: Path | None) -> SigningKey | None:
    """The key of a file, if one is named.

    Raises:
        SigningKeyError: it is no key file.
    """
    from psog.firmware_export.keys import read_key

    return None if path is None else read_key(path)


def named_trust(keys: tuple[str, ...], headset: str | None, *, production: bool) -> Trust:
    """Whose models a firmware is to take; says it, on stderr, when these are anybody's.

    Args:
        keys: public keys or key files; none for the development key.
        headset: name or file of the only headset it is for.
    Raises:
        SigningKeyError: one is no key.
        HeadsetError: there is no such headset.
        ToolchainError: not safe for production.
    """
    from psog.firmware_export.keys import DEVELOPMENT_KEY, public_key
    from psog.firmware_export.trust import Trust
    from psog.headset import load_headset

    public = tuple(map(public_key, keys)) or (DEVELOPMENT_KEY.public,)
    trust = Trust(public, "" if headset is None else load_headset(headset).name, production)
    trust.definitions()
    if DEVELOPMENT_KEY.public in trust.keys:
        print(
            "the firmware trusts the development key: it takes anybody's models; psog keys new FILE makes "
            "a key for --trust",
            file=sys.stderr,
        )
    return trust


def announce_signer(image: bytes) -> None:
    """Say it, on stderr, when the development key has signed an image."""
    from psog.firmware_export.keys import DEVELOPMENT_KEY, is_signed_by

    if is_signed_by(image, DEVELOPMENT_KEY.public):
        print(
            "signed with the development key: anybody can sign for a headset that takes it; "
            "psog keys new FILE makes a key of your own",
            file=sys.stderr,
        )
