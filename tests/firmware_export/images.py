"""A small device image to take apart."""

import struct
import zlib

from psog.device.identity import CRC_BYTES, SIGNATURE_BYTES
from psog.errors import ModelImageError
from psog.firmware_export.image import write_image
from psog.firmware_export.keys import DEVELOPMENT_KEY
from psog.firmware_export.packings import INT4, PAIRED
from tests.random_nets import LayerPlan, random_net, with_embedding

SMALL = (LayerPlan("conv", 2, "same"), LayerPlan("conv", 3, "valid"), LayerPlan("dense", 4))


COARSE = (LayerPlan("conv", 3, "same"), LayerPlan("dense", 5), LayerPlan("dense", 3))
"""45 inputs of its first dense layer are enough for weights of four bits to pay."""

PRUNED = (LayerPlan("conv", 6, "same"), LayerPlan("conv", 4, "same"), LayerPlan("dense", 3))


def sparse_image():
    """One whose second layer is sparse."""
    net, headset = random_net(1, PRUNED, planes=1, pairable=True, keep=0.2)
    return write_image(net, headset, "int16")


def small_image(seed=1, numbers=0, packing="plain"):
    """Args: numbers: of its user embedding; 0 is none."""
    plan = SMALL if packing not in INT4 else COARSE
    net, headset = random_net(seed, plan, planes=1, pairable=packing in PAIRED, coarse=packing in INT4)
    return write_image(with_embedding(net, seed, numbers) if numbers else net, headset, packing)


def repaired(data):
    """The same bytes with a CRC and a signature that fit, so that what they protect is looked at."""
    return signed(bytes(data[: -CRC_BYTES - SIGNATURE_BYTES]))


def signed(content):
    """Content of an image with the CRC and the signature behind it."""
    return DEVELOPMENT_KEY.signed(content + zlib.crc32(content).to_bytes(CRC_BYTES, "little"))


def changed(data, offset, value, kind="<B"):
    out = bytearray(data)
    struct.pack_into(kind, out, offset, value)
    return repaired(out)


def u32(data, offset):
    return int.from_bytes(data[offset : offset + 4], "little")


def accepted(read, data):
    """Whether a reader takes the bytes; anything but a one-line refusal is an error of the test."""
    try:
        read(data)
    except ModelImageError as error:
        assert str(error) and "\n" not in str(error)
        return False
    return True
