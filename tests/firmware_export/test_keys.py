"""Keys that sign models: files that only their owner reads, and what each key may sign again."""

import os
import re
import stat

import pytest

from psog.errors import ModelError, ModelImageError, SigningKeyError, ToolchainError
from psog.firmware_export.image import load_image, read_image, write_image
from psog.firmware_export.installing import image_for
from psog.firmware_export.keys import (
    DEVELOPMENT_KEY,
    check_public_key,
    is_signed_by,
    new_key,
    public_key,
    read_key,
    signed_again,
)
from psog.firmware_export.toolchain import C_TREE, available_boards, build_board
from psog.firmware_export.trust import Trust
from psog.headset import load_headset
from psog.net.store import save_model
from tests.random_nets import random_net

NET, HEADSET = random_net(1, "same", load_headset("grid15"), pairable=True)


@pytest.fixture
def own(tmp_path):
    return new_key(tmp_path / "own.key")


def test_a_new_key_is_its_owners_alone_and_is_read_again(tmp_path):
    before = os.umask(0)
    try:
        key = new_key(tmp_path / "a.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert read_key(tmp_path / "a.key") == key != new_key(tmp_path / "b.key")
    assert key.secret.hex()[:16] not in repr(key)
    assert is_signed_by(key.signed(b"content"), key.public)


def test_a_key_is_never_written_over(tmp_path):
    path = tmp_path / "a.key"
    key = new_key(path)
    with pytest.raises(SigningKeyError, match="already exists; a key is never written over"):
        new_key(path)
    assert read_key(path) == key
    with pytest.raises(SigningKeyError, match="cannot write"):
        new_key(tmp_path / "none" / "a.key")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: "", "is no key file"),
        (lambda text: text.replace("psog", "ssh"), "is no key file"),
        (lambda text: text[:-2], "is no key file"),
        (lambda text: text + "\n", "is no key file"),
        (lambda text: text.replace("\n", "\r\n"), "is no key file"),
        (lambda text: "\0" * 100_000, "is no key file"),
        (lambda text: re.sub("[0-9a-f]\n$", "x\n", text), "is no key file"),
        (lambda text: text[:100] + ("0" if text[100] != "0" else "1") + text[101:], "is damaged"),
        (lambda text: text[:-2] + ("0" if text[-2] != "0" else "1") + "\n", "is damaged"),
    ],
)
def test_a_file_that_is_no_key_is_refused_in_one_line(tmp_path, change, complaint):
    path = tmp_path / "a.key"
    new_key(path)
    path.write_bytes(change(path.read_text()).encode())
    with pytest.raises(SigningKeyError, match=complaint) as caught:
        read_key(path)
    assert "\n" not in str(caught.value)


def test_a_public_key_is_named_by_its_digits_or_its_file(tmp_path, own):
    assert public_key(own.public.hex()) == public_key(str(tmp_path / "own.key")) == own.public
    for named in ("0" * 63, "x" * 64, ""):
        with pytest.raises(SigningKeyError, match="is no public key"):
            public_key(named) if named else public_key("nothing here")
    with pytest.raises(SigningKeyError, match="for which anybody can sign"):
        public_key("00" * 32)
    with pytest.raises(SigningKeyError, match="31 bytes, 32 expected"):
        check_public_key(bytes(31))


def test_the_development_key_is_the_same_on_both_ends_and_no_secret():
    source = (C_TREE / "app/trust.c").read_text("utf-8")
    listed = source.partition("#define DEVELOPMENT_KEY ")[2].partition("\n\n")[0]
    assert bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})", listed)) == DEVELOPMENT_KEY.public
    assert DEVELOPMENT_KEY.secret[:32] == b"psog development key: not secret"
    assert is_signed_by(DEVELOPMENT_KEY.signed(b"content"), DEVELOPMENT_KEY.public)


def test_an_image_is_read_for_anybody_or_for_a_key(own):
    image = write_image(NET, HEADSET, version=3, key=own)
    assert read_image(image).version == read_image(image, own.public).version == 3
    with pytest.raises(ModelImageError, match="not signed by the expected key"):
        read_image(image, DEVELOPMENT_KEY.public)


@pytest.mark.parametrize("version", [-1, 1 << 32])
def test_a_version_that_is_out_of_range_is_not_written(version):
    with pytest.raises(ModelError, match=f"the version is {version}, 0 to 4,294,967,295 expected"):
        write_image(NET, HEADSET, version=version)


def test_what_is_packed_again_keeps_its_version_and_is_signed_by_whoever_may(own, tmp_path):
    other = new_key(tmp_path / "other.key")
    plain = write_image(NET, HEADSET, version=9)
    for image, key in [(plain, DEVELOPMENT_KEY), (plain, own), (signed_again(plain, own), own)]:
        again = image_for(image, ["int16"], key=key)
        assert read_image(again, key.public).packing == "int16"
        assert read_image(again).version == 9
    for key in (DEVELOPMENT_KEY, other):
        with pytest.raises(ModelError, match=r"neither the development key.*psog export --board BOARD --key"):
            image_for(signed_again(plain, own), ["int16"], key=key)
    assert image_for(signed_again(plain, own), ["plain"]) == signed_again(plain, own)


def test_a_model_is_signed_as_it_is_loaded(own, tmp_path):
    other = new_key(tmp_path / "other.key")
    save_model(tmp_path / "model", NET, {})
    image = load_image(tmp_path / "model", version=5, key=own)
    assert read_image(image, own.public).version == 5
    path = tmp_path / "gaze.psog"
    path.write_bytes(image)
    assert load_image(path) == load_image(path, key=own) == image
    with pytest.raises(ModelImageError, match="signed by another key than the one given"):
        load_image(path, key=other)
    path.write_bytes(signed_again(image, DEVELOPMENT_KEY))
    assert load_image(path, key=own) == image
    with pytest.raises(ModelImageError, match="has its version already"):
        load_image(path, version=6)


WRONG_TRUST = {
    "does not trust the development key": Trust(headset="ring16", production=True),
    "for one headset only": Trust(keys=(bytes(range(32)),), production=True),
    "one or two keys; 0 given": Trust(keys=()),
    "one or two keys; 3 given": Trust(keys=3 * (DEVELOPMENT_KEY.public,)),
    "anybody can sign": Trust(keys=(bytes(32),)),
    "for headset 'a name with spaces'": Trust(headset="a name with spaces"),
    "for headset 'sixteen-and-more'": Trust(headset="sixteen-and-more"),
    "for headset '\"'": Trust(headset='"'),
}


@pytest.mark.parametrize("complaint", WRONG_TRUST)
def test_a_firmware_that_trusts_too_much_or_nobody_is_not_built(complaint):
    with pytest.raises(ToolchainError, match=complaint):
        build_board("host", trust=WRONG_TRUST[complaint])


@pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")
class TestCompiler:
    """What somebody meets who builds without the toolchain of this package."""

    def compiled(self, *flags: str) -> str:
        import subprocess

        command = ["gcc", "-fsyntax-only", "-I", "runtime", *flags, "app/trust.c"]
        return subprocess.run(command, cwd=C_TREE, capture_output=True, text=True).stderr

    def test_refuses_the_development_key_for_production_however_it_comes(self):
        named = '-DPSOG_TRUST_HEADSET="ring16"'
        development = ",".join(map(str, DEVELOPMENT_KEY.public))
        own = ",".join(map(str, range(32)))
        for keys in (
            [],
            [f"-DPSOG_TRUST_KEY={development}"],
            [f"-DPSOG_TRUST_KEY={own}", f"-DPSOG_TRUST_SECOND_KEY={development}"],
        ):
            assert "#error" in self.compiled("-DPSOG_PRODUCTION", named, *keys)
        assert self.compiled("-DPSOG_PRODUCTION", named, f"-DPSOG_TRUST_KEY={own}") == ""
        assert self.compiled() == ""

    @pytest.mark.parametrize("name", [[], ['-DPSOG_TRUST_HEADSET=""']])
    def test_refuses_any_headset_for_production(self, name):
        own = ",".join(map(str, range(32)))
        errors = self.compiled("-DPSOG_PRODUCTION", f"-DPSOG_TRUST_KEY={own}", *name)
        assert "production_build_names_its_headset" in errors
