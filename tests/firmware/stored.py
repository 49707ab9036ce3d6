"""What tests of the storage share: models, whole uploads, geometries."""

from __future__ import annotations

from psog.device.identity import model_crc32
from psog.firmware_export.image import write_image
from tests.firmware.c_api import Device, SimulatedFlash
from tests.random_nets import random_net, with_embedding

OK, RANGE, STATE, HEADSET, FLASH, NO_MODEL, CRC = 0, -1, -3, -5, -7, -8, -11
SIGNATURE, ROLLBACK = -13, -14
GEOMETRIES = [(64 * 1024, 1024, 8, 0xFF), (32 * 1024, 4096, 1, 0xFF), (48 * 1024, 2048, 4, 0x00)]
PIECE = 192


def make_image(seed: int, version: int = 0) -> bytes:
    return write_image(*random_net(seed, "mixed"), version=version)


OLD, NEW = make_image(1), make_image(2)
LONG = write_image(*random_net(2, "same"))
"""Five of the smallest blocks."""
FLOATS = 2 * (7 + 1)
TOLD = write_image(with_embedding(random_net(3, "mixed")[0], 3, 5), random_net(3, "mixed")[1])
BIASES = 6 + 9 + 7


crc = model_crc32


def send(device: Device, image: bytes, end: int | None = None) -> int:
    """An upload from where it goes on, up to `end` bytes; the first error."""
    error = device.begin(image, crc(image))
    for offset in range(device.upload.received, len(image) if end is None else end, PIECE):
        error = error or device.add(offset, image[offset : offset + PIECE])
    return error


def install(device: Device, image: bytes) -> int:
    """Upload, commit and confirm; the first error."""
    return send(device, image) or device.commit() or device.confirm()


def device_with(image: bytes, geometry: tuple[int, int, int, int] = GEOMETRIES[0]) -> Device:
    device = Device(SimulatedFlash(*geometry))
    assert install(device, image) == OK
    return device
