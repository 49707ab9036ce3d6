"""A headset made of parts, and variations of it."""

from pathlib import Path

from psog.headset import Headset, load_headset

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "ring16_parts.toml"
RING_PARTS = load_headset(EXAMPLE)


def altered(headset: Headset, **tables: dict[str, object]) -> Headset:
    """The headset with some keys of some tables changed: altered(h, drive={"crosstalk": 0.1})."""
    changed = {name: getattr(headset, name).model_copy(update=keys) for name, keys in tables.items()}
    return headset.model_copy(update=changed)
