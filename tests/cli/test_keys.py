"""`psog keys`: a key of one's own, and who has signed a model."""

import subprocess
import sys

from psog.firmware_export.image import write_image
from psog.firmware_export.keys import DEVELOPMENT_KEY, read_key
from tests.random_nets import random_net


def keys(*words: object) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "psog", "keys", *map(str, words)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return run.returncode, run.stdout, run.stderr


def test_a_key_is_made_and_its_public_half_told(tmp_path):
    path = tmp_path / "own.key"
    code, out, err = keys("new", path)
    assert (code, out, err) == (0, read_key(path).public.hex() + "\n", "")
    assert keys("public", path) == (0, out, "")
    code, out, err = keys("new", path)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "never written over" in err


def test_it_says_who_has_signed_an_image(tmp_path):
    path, image = tmp_path / "own.key", tmp_path / "gaze.psog"
    keys("new", path)
    image.write_bytes(write_image(*random_net(1, "single"), key=read_key(path)))
    assert keys("check", image, "--by", path)[:2] == (
        0,
        f"{image}: signed by {read_key(path).public.hex()}\n",
    )
    code, out, err = keys("check", image)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "is not signed by the development key" in err
    image.write_bytes(write_image(*random_net(1, "single")))
    assert keys("check", image)[1] == f"{image}: signed by the development key\n"
    assert keys("check", image, "--by", DEVELOPMENT_KEY.public.hex())[0] == 0
    assert keys("check", tmp_path)[0] == 1
