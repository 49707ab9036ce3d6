"""`psog bench tuning`: the short form, 102 sequences of seed 1."""

import json

import pytest

from psog.benchmarks.tuning import Command

SEQUENCES = 102
"""Six of each kind of wearer."""


@pytest.fixture(scope="module")
def found():
    import contextlib
    import io

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        Command(sequences=SEQUENCES, seed=1, json=True).run()
    return json.loads(printed.getvalue())


def test_every_sequence_ends_in_one_way(found):
    ways = ("given_up", "refused_by_device", "refused_at_validation", "kept")
    for counts in (found["all"], *found["kinds"].values()):
        assert sum(counts[way] for way in ways) == counts["sequences"]
    assert found["all"]["sequences"] == SEQUENCES


NOTHING_SAID = (
    "eyes closed", "looks anywhere", "looks at the last target", "misses half", "two swapped", "mirrored",
    "constant", "noise",
)  # fmt: skip


@pytest.mark.parametrize("kind", NOTHING_SAID)
def test_calibrations_that_say_nothing_are_never_kept(found, kind):
    assert found["kinds"][kind]["kept"] == 0


def test_only_a_headset_that_slips_all_the_time_is_worse_than_before(found):
    assert found["all"]["kept"] > 5
    assert found["all"]["would_have_been_worse"] > 30
    worse = {kind: counts["kept_noticeably_worse"] for kind, counts in found["kinds"].items()}
    assert sum(worse.values()) <= 1
    assert worse["slips all the time"] == sum(worse.values())


def test_wearers_whom_the_headset_does_not_know_are_calibrated(found):
    for in_use in ("none", "of another"):
        counts = found["attentive"][in_use]
        assert counts["kept"] == counts["sequences"] - counts["given_up"]
    assert found["kinds"]["attentive"]["kept"] >= 4
