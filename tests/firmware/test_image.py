"""The runtime refuses every image that is not sound, before it uses any of it."""

import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from psog.errors import ModelError, ModelImageError
from psog.firmware_export.host_runtime import HostRuntime
from psog.firmware_export.image import write_image
from psog.firmware_export.toolchain import build_library
from tests.firmware_export.images import repaired
from tests.random_nets import LayerPlan, random_net, with_embedding

LAYERS_AT = 52


@pytest.fixture(scope="module")
def image():
    net, headset = random_net(9, "mixed", planes=1)
    return write_image(net, headset)


def changed(image: bytes, at: int, kind: str, value: float) -> bytes:
    data = bytearray(image)
    struct.pack_into("<" + kind, data, at, value)
    return repaired(data)


@cache
def built() -> Path:
    """The runtime, looked up once: hundreds of images go through it here."""
    return build_library()


def refused(image: bytes, why: str) -> None:
    with pytest.raises(ModelImageError, match=why):
        HostRuntime(image, built())


def test_a_sound_image_is_accepted(image):
    assert HostRuntime(image).sensors == 15


@pytest.mark.parametrize("length", [0, 1, 95, 99, 100, 163, 164, 500])
def test_a_truncated_image(image, length):
    refused(image[:length], "malformed")


def test_a_longer_image(image):
    refused(image + b"\0\0\0\0", "malformed")
    padded = image[:-68] + bytes((1 << 20) + 68 - len(image)) + image[-68:]
    refused(changed(padded, 8, "I", len(padded) - 64), "malformed")


def test_any_flipped_bit_is_noticed(image):
    rng = np.random.default_rng(1)
    places = [*range(96 * 8), *rng.integers(96 * 8, (len(image) - 64) * 8, 500)]
    for place in places:
        damaged = bytearray(image)
        damaged[place // 8] ^= 1 << place % 8
        refused(bytes(damaged), "checksum|malformed")


NAN, INF = float("nan"), float("inf")
HEADER = [
    ("version", 4, "H", [0, 1, 3, 5]),
    ("header length", 6, "H", [0, 92, 100]),
    ("headset name", 16, "B", [0, 32, 200]),
    ("sensors", 32, "H", [0, 14, 65, 65535]),
    ("rows", 34, "B", [0, 2, 17]),
    ("columns", 35, "B", [0, 4, 33]),
    ("layers", 36, "B", [0, 2, 9]),
    ("outputs", 37, "B", [2, 3, 5]),
    ("features", 38, "H", [0, 6, 65]),
    ("shift", 40, "B", [0, 31]),
    ("input zero point", 41, "b", [5]),
    ("numbers without an embedding", 42, "B", [1, 33, 255]),
    ("statistics without an embedding", 43, "B", [1, 3]),
    ("place of an embedding that is not there", 92, "I", [4, 96, 0xFFFFFFFC]),
    *((name, at, "I", [0, 92, 98, 0x7FFFFFFC, 0xFFFFFFFC]) for name, at in
      [("normalisation", 44), ("layout", 48), ("layer table", 52), ("head", 56), ("test vector", 60)]),
    ("feature scale", 64, "f", [0.0, -1.0, NAN, INF]),
    ("feature zero point", 68, "i", [-129, 128, 1]),
    ("ridge", 72, "f", [0.0, -1.0, NAN, INF]),
    ("activation bytes", 76, "I", [0, 4, 16385, 0xFFFFFFFF]),
    ("field width", 80, "f", [0.0, NAN, INF]),
    ("field height", 84, "f", [-2.0, NAN, INF]),
    ("change of expected error", 88, "f", [NAN, INF]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("at", "kind", "values"), [row[1:] for row in HEADER], ids=[row[0] for row in HEADER]
)
def test_a_header_field_out_of_range(image, at, kind, values):
    for value in values:
        if struct.pack("<" + kind, value) != image[at : at + struct.calcsize(kind)]:
            refused(changed(image, at, kind, value), "malformed")


LAYER = [
    ("kind", 0, "B", [2, 255]),
    ("padding", 1, "B", [2]),
    ("rows", 2, "B", [0, 2, 255]),
    ("columns", 3, "B", [0, 4, 255]),
    ("input channels", 4, "H", [0, 2, 65535]),
    ("output channels", 6, "H", [0, 5, 65535]),
    ("input zero point", 8, "b", [77]),
    ("range", 10, "b", [127]),
    ("packing", 32, "I", [1, 3, 256, 0x80000000]),
    *((name, at, "I", [0, 92, 98, 0x7FFFFFFC, 0xFFFFFFFC])
      for name, at in [("weights", 12), ("biases", 16), ("multipliers", 20), ("shifts", 24),
                       ("corrections", 28)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "kind", "values"), [row[1:] for row in LAYER], ids=[row[0] for row in LAYER]
)
def test_a_layer_field_out_of_range(image, field, kind, values):
    table = struct.unpack_from("<I", image, LAYERS_AT)[0]
    for value in values:
        if field == 10:
            damaged = changed(image, table + 11, "b", -128)  # the largest output, below the smallest
            refused(changed(damaged, table + 10, kind, value), "malformed")
        else:
            refused(changed(image, table + field, kind, value), "malformed")


@pytest.mark.parametrize(
    ("part", "entry", "kind", "values"),
    [
        (44, 0, "i", [-1, 65536]),
        (44, 4, "i", [0, -5, 16384]),
        (48, 0, "B", [15, 255]),
        (56, 8, "f", [NAN, INF, -INF]),
        (60, 32 + 8, "f", [NAN, INF]),
    ],
    ids=["normalisation offset", "normalisation multiplier", "layout", "head", "test vector output"],
)
def test_a_value_out_of_range(image, part, entry, kind, values):
    start = struct.unpack_from("<I", image, part)[0]
    for value in values:
        refused(changed(image, start + entry, kind, value), "malformed")


@pytest.mark.parametrize(
    ("array", "kind", "values"),
    [(20, "i", [1, -5, (1 << 30) - 1]), (24, "b", [-32, 8])],
    ids=["multiplier", "shift"],
)
def test_requantization_out_of_range(image, array, kind, values):
    table = struct.unpack_from("<I", image, LAYERS_AT)[0]
    start = struct.unpack_from("<I", image, table + array)[0]
    for value in values:
        refused(changed(image, start, kind, value), "malformed")


@pytest.fixture(scope="module")
def told_image():
    """With an embedding of 5 numbers."""
    net, headset = random_net(9, "mixed")
    return write_image(with_embedding(net, 9, 5), headset)


TOLD_HEADER = [
    ("numbers", 42, "B", [0, 33, 255]),
    ("statistics", 43, "B", [0, 1, 2, 4, 255]),
    ("place", 92, "I", [0, 92, 98, 0x7FFFFFFC, 0xFFFFFFFC]),
]


@pytest.mark.parametrize(
    ("at", "kind", "values"), [row[1:] for row in TOLD_HEADER], ids=[row[0] for row in TOLD_HEADER]
)
def test_a_field_of_the_user_embedding_out_of_range(told_image, at, kind, values):
    assert HostRuntime(told_image).sensors == 15
    for value in values:
        refused(changed(told_image, at, kind, value), "malformed")


def test_a_user_embedding_that_reaches_into_the_checksum(told_image):
    outputs, statistics = 6 + 9 + 7, 3
    size = 4 * (5 + 5 * statistics * 15 + outputs) + 5 * outputs
    last = len(told_image) - 68 - size
    refused(changed(told_image, 92, "I", (last + 3) // 4 * 4 + 4), "malformed")
    start = struct.unpack_from("<I", told_image, 92)[0]
    for place in (0, 5 * 4, 4 * (5 + 5 * statistics * 15 + outputs) - 4):
        for value in (NAN, INF, -INF):
            refused(changed(told_image, start + place, "f", value), "malformed")


def test_more_biases_than_can_be_told():
    net, headset = random_net(1, (LayerPlan("dense", 744), LayerPlan("dense", 25)))
    with pytest.raises(ModelError, match="769 biases to tell, at most 768"):
        write_image(with_embedding(net, 1, 1), headset)
    fitting, _ = random_net(1, (LayerPlan("dense", 744), LayerPlan("dense", 24)))
    assert HostRuntime(write_image(with_embedding(fitting, 1, 1), headset)).feature_count == 24


def test_a_model_that_does_not_reproduce_its_test_vector(image):
    vector = struct.unpack_from("<I", image, 60)[0]
    features, outputs = vector + 32, vector + 40
    refused(changed(image, features, "B", image[features] ^ 1), "test vector")
    value = struct.unpack_from("<f", image, outputs)[0]
    refused(changed(image, outputs, "f", value + 2e-3), "test vector")


HOSTILE = """
import ctypes, sys, struct, zlib, random
library = ctypes.CDLL(sys.argv[1])
image = open(sys.argv[2], "rb").read()[:-64]  # the runtime is asked without the signature
table = struct.unpack_from("<I", image, 52)[0]
places = [0, table] + [struct.unpack_from("<I", image, 92)[0]] * (image[42] > 0)
random.seed(4)
readings = (ctypes.c_uint16 * (3 * 6 * 64))(*(random.randrange(65536) for _ in range(3 * 6 * 64)))
targets = (ctypes.c_float * 6)(0.5, 0, -0.5, 0.5, 0, -0.5)
head, numbers, biases = (ctypes.c_float * (4 * 65))(), (ctypes.c_float * 32)(), (ctypes.c_int32 * 768)()
user = (ctypes.c_void_p * 3)(*map(ctypes.addressof, (head, numbers, biases)))
kept, fit = (ctypes.c_uint8 * (16 * 136))(), (ctypes.c_float * 8)()
accepted = calibrated = 0
for attempt in range(6000):
    data = bytearray(image)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        spot = random.choice(places) + random.randrange(96)
        data[spot] = random.choice((0, 1, 2, 3, 127, 128, 255, random.randrange(256), data[spot] ^ 1))
    data[8:12] = struct.pack("<I", len(data))
    data[-4:] = struct.pack("<I", zlib.crc32(data[:-4]))
    block = (ctypes.c_char * len(data)).from_buffer(data)
    size = ctypes.c_size_t(len(data))
    accepted += library.psog_host_check(block, size) == 0
    calibrated += library.psog_host_calibrate(
        block, size, readings, targets, ctypes.c_size_t(3), ctypes.c_uint16(6), kept,
        ctypes.c_size_t(len(kept)), user, fit) == 0
print(accepted, calibrated)
"""


@pytest.mark.parametrize("kind", ["image", "told_image"])
def test_hostile_images_never_reach_outside_their_bytes(kind, request, tmp_path):
    """Six thousand images each with a valid CRC and damaged tables, under the sanitizers."""
    file, script = tmp_path / "image", tmp_path / "hostile.py"
    file.write_bytes(request.getfixturevalue(kind))
    script.write_text(HOSTILE, "utf-8")
    library = build_library(sanitize=True)
    run = subprocess.run(
        [sys.executable, "-I", str(script), str(library), str(file)],
        env={"LD_PRELOAD": sanitizer(), "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    accepted, calibrated = map(int, run.stdout.split())
    # Refused, unless a byte was replaced by itself or by another sound value; what is accepted ran its
    # self-test and was calibrated, and told whose eye it sees where it can be, without a finding.
    assert 0 < accepted < 3000
    assert calibrated > 0


def sanitizer() -> str:
    """The address sanitizer's run-time library, which must be loaded before anything else."""
    run = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return str(Path(run.stdout.strip()).resolve())
