"""Models that come with psog, by the name of their headset; `scripts/shipped-models` makes them again."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def shipped_folders() -> dict[str, Path]:
    """Name and model folder of each."""
    inside = Path(str(files("psog.models")))
    return {place.parent.name: place.parent for place in sorted(inside.glob("*/model.json"))}


def model_place(given: Path) -> Path:
    """`given`; or, when nothing is there and it is such a name, the model that comes with psog."""
    return given if given.exists() else shipped_folders().get(str(given), given)
