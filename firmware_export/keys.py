"""Keys that sign models: EdDSA as Monocypher has it, on the curve of Ed25519, with BLAKE2b instead of the
SHA-512 of RFC 8032. A headset takes models that a key it trusts has signed (docs/security.md).

A key file has two lines: what it is, and 128 hexadecimal digits, of which the first 64 are the secret, the
others the public key.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import monocypher

from psog.device.identity import SIGNATURE_BYTES
from psog.errors import SigningKeyError

PUBLIC_BYTES = 32
_SECRET_BYTES = 64
_TITLE = "psog signing key 1: whoever has this file signs models that headsets take"
_FORGED = bytes([1, *bytes(SIGNATURE_BYTES - 1)])
_MAX_FILE_BYTES = 1024
_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class SigningKey:
    """A private key.

    Attributes:
        secret: its 32 secret bytes and its public key, as Monocypher has them.
    """

    secret: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        """The 32 bytes with which a signature is checked."""
        return self.secret[-PUBLIC_BYTES:]

    def signed(self, content: bytes) -> bytes:
        """The content and its signature, 64 bytes behind it; a function of key and content alone."""
        return content + bytes(monocypher.signature_sign(self.secret, content))


DEVELOPMENT_KEY = SigningKey(
    b"psog development key: not secret"
    + bytes.fromhex("4f96601a2c6790332e8ae0290e1f9d4921c505bae424c1a03fa47821621cd0ee")
)
"""Signs what nobody else signs; firmware takes it unless it is built for other keys. It is public: what it
signs may come from anybody."""


def is_signed_by(image: bytes, public_key: bytes) -> bool:
    """Whether the last 64 bytes of an image are this key's signature of what is before them."""
    if len(image) < SIGNATURE_BYTES:
        return False
    signature, content = image[-SIGNATURE_BYTES:], image[:-SIGNATURE_BYTES]
    return bool(monocypher.signature_check(signature, public_key, content))


def signed_again(image: bytes, key: SigningKey) -> bytes:
    """The same image with this key's signature in the place of the one it has."""
    return key.signed(image[:-SIGNATURE_BYTES])


def new_key(path: Path) -> SigningKey:
    """Make a key and write it into a new file that only its owner can read.

    Raises:
        SigningKeyError: the file exists, or cannot be written; then there is no part of it.
    """
    key = SigningKey(bytes(monocypher.generate_signing_key_pair()[0]))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError as error:
        raise SigningKeyError(
            f"{path} already exists; a key is never written over, because headsets that trust it would take "
            "no model any more: choose another file"
        ) from error
    except OSError as error:
        raise SigningKeyError(f"cannot write {path}: {error.strerror}; choose another file") from error
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{_TITLE}\n{key.secret.hex()}\n")
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise SigningKeyError(f"cannot write {path}: {error.strerror}; choose another place") from error
    return key


def read_key(path: Path) -> SigningKey:
    """The key of a file that `new_key` wrote.

    Raises:
        SigningKeyError: it cannot be read, or is no such file.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise SigningKeyError(
            f"cannot read the key {path}: {error.strerror}; psog keys new makes one"
        ) from error
    lines = text.split("\n")
    if lines[0] != _TITLE or len(lines) != 3 or not re.fullmatch(r"[0-9a-f]{128}", lines[1]) or lines[2]:
        raise SigningKeyError(
            f"{path} is no key file: expected a line {_TITLE!r} and one of 128 hexadecimal digits; "
            "psog keys new makes one"
        )
    key = SigningKey(bytes.fromhex(lines[1]))
    if not is_signed_by(key.signed(b""), key.public):
        raise SigningKeyError(
            f"the key {path} is damaged: its halves do not belong together; use a copy of it"
        )
    return key


def public_key(named: str) -> bytes:
    """A public key from 64 hexadecimal digits, as `psog keys public` prints them, or from a key file.

    Raises:
        SigningKeyError: it is neither, or a key for which anybody can sign.
    """
    if re.fullmatch(rf"[0-9a-fA-F]{{{2 * PUBLIC_BYTES}}}", named):
        found = bytes.fromhex(named)
        check_public_key(found)
        return found
    if not Path(named).exists():
        raise SigningKeyError(
            f"{named!r} is no public key: expected 64 hexadecimal digits, as psog keys public "
            "prints them, or a key file"
        )
    return read_key(Path(named)).public


def check_public_key(key: bytes) -> None:
    """Refuse what is no public key, or one of the few points for which anybody can make signatures.

    The neutral point with S = 0 is a valid signature of any content for exactly those of small order.

    Raises:
        SigningKeyError: it is one of these.
    """
    if len(key) != PUBLIC_BYTES:
        raise SigningKeyError(f"a public key has {len(key)} bytes, {PUBLIC_BYTES} expected")
    if is_signed_by(b"any content" + _FORGED, key):
        raise SigningKeyError(
            f"{key.hex()} is no key, but a point for which anybody can sign; psog keys new makes one"
        )
