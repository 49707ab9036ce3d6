"""The names of packings: how an image holds its weights (psog.firmware_export.packing says more)."""

from __future__ import annotations

from typing import Literal, get_args

Packing = Literal["plain", "int16", "int8"]
PACKINGS: tuple[Packing, ...] = get_args(Packing)

LayerPacking = Literal["plain", "int16", "int8", "sparse"]
LAYER_PACKINGS: tuple[LayerPacking, ...] = get_args(LayerPacking)
"""By their codes in an image: an image of int16 or int8 also has sparse layers, where they are faster."""

PAIRED: tuple[Packing, ...] = ("int16", "int8")
"""Those for cores with the DSP instructions, the faster first."""
