"""No power cut and no flipped bit leaves anything but the old or the new, whole. __main__.py tries more."""

import pytest

from psog.firmware_export.toolchain import available_boards
from tests.power_cuts import GEOMETRIES, cuts_at_random, cuts_everywhere, flips_anywhere

pytestmark = pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")

IDS = [f"{where.erase_bytes} by {where.program_bytes}" for where in GEOMETRIES]


@pytest.mark.parametrize("where", GEOMETRIES[:3], ids=IDS[:3])
def test_two_cuts_anywhere_leave_the_old_or_the_new(where):
    report = cuts_everywhere(where, every=211)
    assert report.failure == ""
    assert report.faults > 5_000


def test_cuts_again_and_again_leave_the_old_or_the_new_and_a_headset_that_works():
    report = cuts_at_random(5_000, seed=7)
    assert report.failure == ""
    assert report.faults > 10_000


def test_whatever_bit_flips_nothing_damaged_is_used():
    report = flips_anywhere(GEOMETRIES[0], 10_000)
    assert report.failure == ""
    assert report.runs > 15_000
