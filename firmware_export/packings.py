"""The names of packings: how an image holds its weights (psog.firmware_export.packing says more)."""

from __future__ import annotations

from typing import Literal, get_args

Packing = Literal["plain", "int16", "int8", "int4", "plain4"]
PACKINGS: tuple[Packing, ...] = get_args(Packing)

LayerPacking = Literal["plain", "int16", "int8", "sparse", "int4", "plain4"]
LAYER_PACKINGS: tuple[LayerPacking, ...] = get_args(LayerPacking)
"""By their codes in an image: a paired image also has sparse layers, where they are faster; one of int4 or
plain4 has int8 layers where weights need eight bits."""

PLAIN: tuple[Packing, ...] = ("plain", "plain4")
"""Those for portable C and MVE, the faster first."""

PAIRED: tuple[Packing, ...] = ("int16", "int8", "int4")
"""Those for cores with the DSP instructions, the faster first."""

INT4: tuple[Packing, ...] = ("int4", "plain4")
"""Those with two weights in a byte, for networks whose weights allow it (psog.net.int4)."""
