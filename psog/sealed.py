"""Files of machine code that end in the SHA-256 of what comes before: a part of one is known as such.

What a stop or a full disk left of a library can be loaded, and then ends the program. Loaders of ELF files
look at what their headers name, so the seal does not disturb them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_DIGEST_BYTES = hashlib.sha256().digest_size


def seal(path: Path) -> None:
    """Append the digest of a file to it."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    with path.open("ab") as file:
        file.write(digest)


def is_whole(path: Path) -> bool:
    """Whether the file is there, as it was sealed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return hashlib.sha256(content[:-_DIGEST_BYTES]).digest() == content[-_DIGEST_BYTES:]
