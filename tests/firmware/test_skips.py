"""No instruction that a fault skips lets a model in that nobody trusted has signed. `psog bench skips` is the
long form: every instruction, every image."""

import zlib

import pytest

from psog.benchmarks.skip_trials import (
    ACCEPTED,
    ANOTHER_KEY,
    REFUSED,
    WAYS,
    check_without_fault,
    program,
    summed,
    wrong_images,
)
from psog.errors import ProbeError
from psog.firmware_export.image import write_image
from psog.firmware_export.image_reader import read_image
from psog.firmware_export.installing import image_for
from psog.firmware_export.keys import DEVELOPMENT_KEY, is_signed_by
from psog.firmware_export.toolchain import available_boards, board_target
from tests.random_nets import random_net

BOARD = "mps2-an386"
SIGNATURE_BYTES = 64
if BOARD not in available_boards():
    pytest.skip(f"no compiler or emulator for {BOARD} is installed", allow_module_level=True)

SOUND = image_for(write_image(*random_net(1, "same", pairable=True)), board_target(BOARD).target.packings)


@pytest.mark.parametrize("way", WAYS)
def test_a_sound_image_is_accepted_when_nothing_is_skipped(way):
    with program(BOARD, SOUND, way) as tried, tried.skipper() as skipper:
        assert skipper.no_fault() == ACCEPTED
        with pytest.raises(ProbeError, match="the trial is wrong"):
            check_without_fault(skipper, REFUSED)


def test_wrong_images_are_sound_but_for_their_signature():
    images = wrong_images(SOUND)
    assert len(set(images.values())) == len(images)
    for image in images.values():
        assert not is_signed_by(image, DEVELOPMENT_KEY.public)
        assert read_image(DEVELOPMENT_KEY.signed(image[:-SIGNATURE_BYTES]))
    assert is_signed_by(images["another key"], ANOTHER_KEY.public)


@pytest.mark.parametrize(("way", "name"), [("start", "another key"), ("commit", "unsigned")])
def test_no_skipped_decision_lets_a_wrong_image_through(way, name):
    with program(BOARD, wrong_images(SOUND)[name], way) as tried, tried.skipper() as skipper:
        check_without_fault(skipper, REFUSED)
        trial = summed("decisions", way, name, tried, skipper.each(tried.decides, 1, stride=4))
    assert trial.accepted == ()
    assert trial.outcomes[REFUSED] > 20
    assert len(trial.outcomes) > 1  # the skips do something


def test_a_check_that_is_not_redundant_is_found_to_be_weak():
    """The checksum, of an image that is signed: one skip passes it over, as the trial has to show."""
    content = bytearray(SOUND[:-SIGNATURE_BYTES])
    content[-4:] = (zlib.crc32(content[:-4]) ^ 1).to_bytes(4, "little")
    image = DEVELOPMENT_KEY.signed(bytes(content))
    with program(BOARD, image, "start") as tried, tried.skipper() as skipper:
        check_without_fault(skipper, REFUSED)
        inside = tried.function("psog_model_open_as")
        assert skipper.go_to(inside.start, 1)
        weak = skipper.each_from_here(inside.__contains__, 1)
        assert any(skip.outcome == ACCEPTED for skip in weak)
