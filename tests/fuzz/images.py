"""The models that the fuzzed application is given, as C source."""

from __future__ import annotations

from psog.device.identity import SIGNATURE_BYTES, model_crc32
from psog.firmware_export.image import write_image
from tests.random_nets import LayerPlan, random_net, with_embedding

_SMALL = (LayerPlan("conv", 2, "same"), LayerPlan("conv", 3, "valid"), LayerPlan("dense", 4))
_WIDE = (LayerPlan("conv", 6, "same"), LayerPlan("conv", 4, "same"), LayerPlan("dense", 3))
_BYTES_PER_LINE = 24
_SIGNED = b"\1" + bytes(SIGNATURE_BYTES - 1)
"""As easy_signature.c wants it, and not of zeros alone."""


def images() -> list[bytes]:
    """Small networks: plain, with a user embedding, paired and sparse. The first and the last, which is of a
    later version, take every eye for open."""
    return [
        _image(1, _SMALL, numbers=0, pairable=False),
        _image(2, _SMALL, numbers=2, pairable=False),
        _image(1, _WIDE, numbers=0, pairable=True),
    ]


def images_c() -> str:
    """Definitions of what images.h declares."""
    lines = ['#include "images.h"', ""]
    easy = [image[:-SIGNATURE_BYTES] + _SIGNED for image in images()]
    for name, group in (("FUZZ_IMAGES", easy), ("FUZZ_SIGNED_IMAGES", images())):
        for index, image in enumerate(group):
            lines.append(f"static const uint8_t {name}_{index}[] = {{")
            rows = [image[at : at + _BYTES_PER_LINE] for at in range(0, len(image), _BYTES_PER_LINE)]
            lines += ["    " + " ".join(f"{byte}," for byte in row) for row in rows] + ["};"]
        lines.append(f"const struct fuzz_image {name}[FUZZ_IMAGE_COUNT] = {{")
        for index, image in enumerate(group):
            lines.append(f"    {{{name}_{index}, sizeof {name}_{index}, {model_crc32(image)}u}},")
        lines.append("};")
    return "\n".join([*lines, ""])


def _image(seed: int, plan: tuple[LayerPlan, ...], *, numbers: int, pairable: bool) -> bytes:
    net, headset = random_net(seed, plan, planes=1, pairable=pairable, keep=0.2 if pairable else 1)
    net.head.weight[2] *= 0 if not numbers else 3
    net.head.weight[2, -1] = 0.9
    if numbers:
        net = with_embedding(net, seed, numbers)
    return write_image(net, headset, "int16" if pairable else "plain", version=int(pairable))
