"""Whose models a firmware takes: decided when it is built, part of the program."""

from __future__ import annotations

import re
from dataclasses import dataclass

from psog.errors import SigningKeyError, ToolchainError
from psog.firmware_export.keys import DEVELOPMENT_KEY, check_public_key

MAX_KEYS = 2


@dataclass(frozen=True)
class Trust:
    """What is compiled into a firmware (app/trust.h).

    Attributes:
        keys: one or two public keys, 32 bytes each; a model that one of them has signed is taken.
        headset: the name that a model has to be made for; empty for any.
        production: refuse what is not safe to hand out: the development key, or any headset.
    """

    keys: tuple[bytes, ...] = (DEVELOPMENT_KEY.public,)
    headset: str = ""
    production: bool = False

    def definitions(self) -> tuple[str, ...]:
        """Flags for the compiler.

        Raises:
            ToolchainError: the keys or the name are none, or not for production; says what to do.
        """
        self._check()
        if self == Trust():
            return ()
        first, *second = (", ".join(f"0x{byte:02x}" for byte in key) for key in self.keys)
        flags = [f"-DPSOG_TRUST_KEY={first}", *(f"-DPSOG_TRUST_SECOND_KEY={key}" for key in second)]
        if self.headset:
            flags.append(f'-DPSOG_TRUST_HEADSET="{self.headset}"')
        if self.production:
            flags.append("-DPSOG_PRODUCTION")
        return tuple(flags)

    def _check(self) -> None:
        if not 1 <= len(self.keys) <= MAX_KEYS:
            raise ToolchainError(f"a firmware trusts one or two keys; {len(self.keys)} given")
        for key in self.keys:
            try:
                check_public_key(key)
            except SigningKeyError as error:
                raise ToolchainError(f"cannot build a firmware that trusts this key: {error}") from error
        if not re.fullmatch(r"[A-Za-z0-9_.+-]{0,15}", self.headset):
            raise ToolchainError(
                f"cannot build a firmware for headset {self.headset!r}; expected up to 15 "
                "letters, digits or _.+-"
            )
        if self.production and DEVELOPMENT_KEY.public in self.keys:
            raise ToolchainError(
                "a production firmware does not trust the development key, with which anybody can sign; make "
                "one with psog keys new FILE and trust that"
            )
        if self.production and not self.headset:
            raise ToolchainError(
                "a production firmware takes models for one headset only; say which, by the name in its file"
            )
