"""Whether a model belongs on a headset: said in the same words by every verb that installs one."""

from __future__ import annotations

from pathlib import Path

from psog.errors import ModelImageError


def check_made_for(model: Path, made_for: str, headset: str) -> None:
    """Raise ModelImageError unless a model was made for the headset it is to be installed on."""
    if made_for != headset:
        raise ModelImageError(
            f"cannot install {model}: made for headset {made_for!r}, this one is {headset!r}; "
            f"train or choose a model for {headset}"
        )
