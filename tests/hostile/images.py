"""Device images that lie: sound ones with something in them made impossible, and checksum and signature made
to fit. Offsets point at each other's arrays, counts are huge, shapes do not meet, numbers are none."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from psog.device.identity import CRC_BYTES, SIGNATURE_BYTES
from tests.firmware_export.images import changed, repaired, small_image, sparse_image, u32

_SEED = 7
_RANDOM_IMAGES = 150
_TAIL_BYTES = CRC_BYTES + SIGNATURE_BYTES
_WIDTHS = {"B": 1, "H": 2, "I": 4, "f": 4}
_HEADER = {
    "magic": (0, "I"), "format version": (4, "H"), "header length": (6, "H"), "length": (8, "I"),
    "name": (16, "B"), "end of the name": (31, "B"), "sensors": (32, "H"), "rows": (34, "B"),
    "columns": (35, "B"), "layers": (36, "B"), "outputs": (37, "B"), "features": (38, "H"),
    "shift": (40, "B"), "input zero": (41, "B"), "numbers": (42, "B"), "statistics": (43, "B"),
    "normalisation": (44, "I"), "layout": (48, "I"), "layer table": (52, "I"), "head": (56, "I"),
    "test vector": (60, "I"), "feature scale": (64, "f"), "feature zero": (68, "I"), "ridge": (72, "f"),
    "activations": (76, "I"), "field width": (80, "f"), "field height": (84, "f"),
    "change of error": (88, "f"), "embedding": (92, "I"),
}  # fmt: skip
_LAYER = {
    "kind": (0, "B"), "padding": (1, "B"), "rows": (2, "B"), "columns": (3, "B"), "inputs": (4, "H"),
    "outputs": (6, "H"), "input zero": (8, "B"), "output zero": (9, "B"), "low": (10, "B"), "high": (11, "B"),
    "weights": (12, "I"), "biases": (16, "I"), "multipliers": (20, "I"), "shifts": (24, "I"),
    "corrections": (28, "I"), "packing": (32, "I"),
}  # fmt: skip
_PARTS = (44, 48, 52, 56, 60, 92)
_ARRAYS = (12, 16, 20, 24, 28)
_LAYER_BYTES = 36


def bases() -> dict[str, bytes]:
    """Sound images of every packing."""
    return {
        "plain": small_image(),
        "told": small_image(numbers=2),
        "int8": small_image(packing="int8"),
        "sparse": sparse_image(),
        "int4": small_image(packing="int4"),
        "plain4": small_image(packing="plain4"),
    }


def hostile_images() -> Iterator[tuple[str, bytes]]:
    """What is wrong, and the image."""
    for name, image in bases().items():
        for what, other in (*_fields(image), *_pointers(image), *_arrays(image), *_lengths(image)):
            if other != image:
                yield f"{name}: {what}", other
        yield from ((f"{name}: {what}", other) for what, other in _several(image))


def _values(image: bytes, kind: str) -> tuple[float, ...]:
    if kind == "f":
        return (0.0, -1.0, float("nan"), float("inf"), 3e38)
    most = (1 << 8 * _WIDTHS[kind]) - 1
    inside = (96, len(image) - _TAIL_BYTES, len(image)) if kind == "I" else (64, 65)
    return tuple(value for value in (0, 1, *inside, most // 2, most // 2 + 1, most) if value <= most)


def _fields(image: bytes) -> Iterator[tuple[str, bytes]]:
    """Each field of the header and of the layer table at its ends."""
    table = u32(image, 52)
    places = dict(_HEADER)
    for layer in range(image[36]):
        begin = table + _LAYER_BYTES * layer
        places |= {f"{name} of layer {layer}": (begin + at, kind) for name, (at, kind) in _LAYER.items()}
    for name, (at, kind) in places.items():
        for value in _values(image, kind):
            yield f"{name} is {value}", changed(image, at, value, f"<{kind}")


def _pointers(image: bytes) -> Iterator[tuple[str, bytes]]:
    """Offsets that point where another one does, or at the table that they stand in."""
    table = u32(image, 52)
    places = [*_PARTS, *(table + _LAYER_BYTES * i + at for i in range(image[36]) for at in _ARRAYS)]
    targets = sorted({u32(image, place) for place in places} | {0, table + 12, len(image) - _TAIL_BYTES - 4})
    for number, place in enumerate(places):
        for target in targets[number % 3 :: 3]:
            yield f"offset at {place} is {target}", changed(image, place, target, "<I")


def _arrays(image: bytes) -> Iterator[tuple[str, bytes]]:
    """The first word of each array."""
    table = u32(image, 52)
    places = [*_PARTS, *(table + _LAYER_BYTES * i + at for i in range(image[36]) for at in _ARRAYS)]
    for place in places:
        begin = u32(image, place)
        if begin == 0:
            continue
        for word in (0x7FC00000, 0xFF800000, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000):
            yield f"array at {begin} begins with {word:#x}", changed(image, begin, word, "<I")


def _lengths(image: bytes) -> Iterator[tuple[str, bytes]]:
    for size in (0, 1, 63, 64, 65, 96, 100, 163, 164, len(image) // 2, len(image) - 1):
        yield f"it ends after {size} bytes", image[:size]
        if size > _TAIL_BYTES:
            cut = bytearray(image[:size])
            struct.pack_into("<I", cut, 8, size - SIGNATURE_BYTES)
            yield f"it ends after {size} bytes and says so", repaired(cut)
    for extra in (1, 4, 1 << 20):
        yield f"{extra} bytes follow", image + bytes(extra)


def _several(image: bytes) -> Iterator[tuple[str, bytes]]:
    """A few words of header and layer table at once."""
    rng = np.random.default_rng(_SEED)
    table = u32(image, 52)
    words = [*range(0, 96, 4), *range(table, table + _LAYER_BYTES * image[36], 4)]
    telling = [0, 1, 0x80, 0xFFFF, 96, table, len(image), 2**31 - 1, 2**31, 2**32 - 1, 0x01010101]
    for number in range(_RANDOM_IMAGES):
        data = bytearray(image)
        for place in rng.choice(words, int(rng.integers(2, 5)), replace=False):
            struct.pack_into("<I", data, int(place), int(rng.choice(telling)))
        yield f"several words, {number}", repaired(data)
