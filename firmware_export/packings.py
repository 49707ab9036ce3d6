"""The names of packings: how an image holds its weights (psog.firmware_export.packing says more)."""

from __future__ import annotations

from typing import Literal, get_args

Packing = Literal["plain", "int16", "int8"]
PACKINGS: tuple[Packing, ...] = get_args(Packing)
"""An image's packing, and a layer's by its code."""

PAIRED: tuple[Packing, ...] = ("int16", "int8")
"""Those for cores with the DSP instructions, the faster first."""
