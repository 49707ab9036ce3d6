"""A model is taken only from someone the headset trusts, and nothing of it is looked at before."""

import ctypes
from ctypes import byref, c_size_t

import monocypher
import numpy as np
import pytest

from psog.firmware_export.image import write_image
from psog.firmware_export.keys import DEVELOPMENT_KEY, SigningKey, is_signed_by, signed_again
from tests.firmware.c_api import Model, library, trust
from tests.firmware_export.images import small_image
from tests.random_nets import random_net

OK, IMAGE, HEADSET, SIGNATURE = 0, -4, -5, -13
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032, 5.1
NEUTRAL = (1).to_bytes(32, "little")
SMALL_ORDER = [
    NEUTRAL,
    bytes(32),
    (2**255 - 20).to_bytes(32, "little"),
    *(bytes.fromhex(point) for point in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )),
]  # fmt: skip
"""Points of order 1, 4, 2 and 8 (D. J. Bernstein et al., Ed25519's torsion subgroup)."""


def own_key(seed: int) -> SigningKey:
    """A key that a test makes again each time."""
    secret = np.random.default_rng(seed).bytes(32)
    with pytest.deprecated_call(match="64-byte"):
        return SigningKey(secret + bytes(monocypher.compute_signing_public_key(secret)))


OWN, SECOND, STRANGE = own_key(1), own_key(2), own_key(3)


@pytest.fixture(scope="module")
def c():
    return library()


def opened(c, image: bytes, *keys: bytes, headset: str = "") -> int:
    """The error of opening an image; the model is only there without one."""
    model = Model()
    ctypes.memset(byref(model), 0x55, ctypes.sizeof(model))
    memory = (ctypes.c_uint32 * (len(image) // 4 + 1)).from_buffer_copy(
        image.ljust(len(image) // 4 * 4 + 4, b"\0")
    )
    trusted = trust(*keys, headset=headset)
    error = int(c.psog_model_open_signed(byref(model), memory, c_size_t(len(image)), byref(trusted)))
    assert (bytes(model) == bytes(ctypes.sizeof(model))) == (error != OK)
    return error


@pytest.fixture(scope="module")
def image():
    return write_image(*random_net(1, "single"), key=OWN)


def test_a_model_of_the_trusted_key_is_taken(c, image):
    assert opened(c, image, OWN.public) == OK


@pytest.mark.parametrize("keys", [(OWN, SECOND), (SECOND, OWN)])
def test_either_of_two_keys_will_do(c, image, keys):
    public = [key.public for key in keys]
    assert opened(c, image, *public) == OK
    assert opened(c, signed_again(image, SECOND), *public) == OK
    assert opened(c, signed_again(image, STRANGE), *public) == SIGNATURE


def test_another_key_is_refused_and_so_is_none(c, image):
    assert opened(c, image, STRANGE.public) == SIGNATURE
    assert opened(c, signed_again(image, DEVELOPMENT_KEY), OWN.public) == SIGNATURE
    assert opened(c, image[:-64] + bytes(64), OWN.public) == SIGNATURE
    assert opened(c, image[:-64], OWN.public) == SIGNATURE
    assert opened(c, image) == SIGNATURE


def test_a_second_key_that_is_not_there_is_not_a_key(c, image):
    """A key of zeros is a point for which anybody can sign."""
    forged = image[:-64] + NEUTRAL + bytes(32)
    assert is_signed_by(forged, bytes(32))
    assert opened(c, forged, OWN.public) == SIGNATURE


@pytest.mark.parametrize("length", [0, 1, 63, 64, 95, 96, 97, 200])
def test_what_is_too_short_is_not_signed(c, image, length):
    assert opened(c, image[:length], OWN.public) == SIGNATURE


def test_every_flipped_bit_is_a_wrong_signature(c):
    """Of content, checksum and signature: whatever the bit means, nobody has looked."""
    image = small_image()
    places = [
        *range(8 * 24),
        *range(24 * 8, 8 * (len(image) - 80), 61),
        *range(8 * (len(image) - 80), 8 * len(image)),
    ]
    for place in places:
        damaged = bytearray(image)
        damaged[place // 8] ^= 1 << place % 8
        assert opened(c, bytes(damaged), DEVELOPMENT_KEY.public) == SIGNATURE, f"bit {place}"


def test_what_is_signed_but_malformed_is_refused_as_an_image(c):
    assert opened(c, OWN.signed(bytes(400)), OWN.public) == IMAGE
    assert opened(c, OWN.signed(bytes(400)), STRANGE.public) == SIGNATURE


@pytest.mark.parametrize(
    ("headset", "error"),
    [("", OK), ("grid3x5", OK), ("grid3x", HEADSET), ("grid3x55", HEADSET), ("other", HEADSET)],
)
def test_a_headset_with_a_name_takes_models_made_for_it_alone(c, image, headset, error):
    assert opened(c, image, OWN.public, headset=headset) == error
    assert opened(c, signed_again(image, STRANGE), OWN.public, headset=headset) == SIGNATURE


def verdict(c, signature: bytes, key: bytes, content: bytes) -> bool:
    """Whether the device finds the content signed; what it says then about the image does not matter."""
    return opened(c, content + signature, key) != SIGNATURE


def test_device_and_host_agree_about_random_messages(c):
    """A thousand of random keys and lengths, a half of them with a flipped bit."""
    rng = np.random.default_rng(4)
    keys = [own_key(seed) for seed in range(10, 20)]
    taken = 0
    for index in range(1000):
        key = keys[index % len(keys)]
        content = rng.bytes(int(rng.integers(32, 400)))
        signed = bytearray(key.signed(content))
        if index % 2:
            place = int(rng.integers(8 * len(signed)))
            signed[place // 8] ^= 1 << place % 8
        host = is_signed_by(bytes(signed), key.public)
        assert verdict(c, bytes(signed[-64:]), key.public, bytes(signed[:-64])) == host == (index % 2 == 0)
        taken += host
    assert taken == 500


def test_a_second_form_of_a_signature_is_refused(c):
    """S + L gives the same point as S; taking it would make two signatures of one."""
    content = bytes(range(64))
    signature = OWN.signed(content)[-64:]
    larger = int.from_bytes(signature[32:], "little") + GROUP_ORDER
    malleated = signature[:32] + larger.to_bytes(32, "little")
    assert verdict(c, signature, OWN.public, content)
    assert not verdict(c, malleated, OWN.public, content)
    assert not is_signed_by(content + malleated, OWN.public)


@pytest.mark.parametrize(
    "key", SMALL_ORDER, ids=["order 1", "order 4", "order 2", "order 8", "other order 8"]
)
def test_points_of_small_order_are_no_keys(c, key):
    """With them R = 0, S = 0 is a signature of anything. A host does not build for them, and a device tries
    another message, too."""
    content = bytes(range(64))
    assert is_signed_by(content + NEUTRAL + bytes(32), key)
    assert not verdict(c, NEUTRAL + bytes(32), key, content)


@pytest.mark.parametrize("point", [b"\2" + bytes(31), b"\xff" * 32], ids=["off the curve", "not reduced"])
def test_what_is_no_point_signs_nothing(c, point):
    content = bytes(range(64))
    signature = OWN.signed(content)[-64:]
    assert not verdict(c, signature, point, content)
    assert not verdict(c, point + signature[32:], OWN.public, content)
