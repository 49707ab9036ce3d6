"""The fleet's stage: which recording is of which headset, and a new headset that gains from the others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.benchmarks.stages_headset import built
from psog.errors import PsogError
from psog.headset import load_headset
from psog.net.adapt import Adaptation, adaptation_config
from psog.net.adapt_fleet import adapt_fleet, typical, units_of
from psog.net.evaluation import evaluate
from psog.net.integer import Normalisation
from psog.net.sources import Source
from psog.net.store import load_model

HEADSET = load_headset("ring16")
WITHOUT = Adaptation(simulated_share=0.0)
FAINT = np.where(np.arange(16) % 2, np.float32(1), np.float32(0.75))
"""What every headset that is built here reads of light, and no file says."""


def real(seed, gain=FAINT):
    worn = built(HEADSET, seed)
    return replace(worn, gain=worn.gain * gain)


@pytest.fixture(scope="module")
def recordings():
    """Of four people each, with three headsets."""
    return [real(seed).record(4, 11.0, seed, rate_hz=100.0) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def sources(recordings):
    return [Source(Path("/fleet") / name / "day1", r) for name, r in zip("abc", recordings, strict=True)]


@pytest.fixture(scope="module")
def parent(tiny_model):
    return load_model(tiny_model)


def test_a_headset_that_nobody_recorded_with_gains_from_others(parent, sources, one_thread):
    """What all of them share, and no file says, is known of it before anybody wears it."""
    units, how = units_of(sources, HEADSET), replace(WITHOUT, normalisation="refit")
    net, _ = adapt_fleet(parent, units, HEADSET, adaptation_config(60, 0), how)
    test = real(9).test(users=15, seed=50, slips_mm=(0.0,))
    before, after = (evaluate(each, test, HEADSET, (0.0,))["int8"]["slips"] for each in (parent.net, net))
    assert after["0"]["median_deg"] < 0.95 * before["0"]["median_deg"]


def test_the_report_tells_stage_parent_and_data_of_each_headset(parent, sources, one_thread):
    units = units_of(sources, HEADSET)
    _, report = adapt_fleet(parent, units, HEADSET, adaptation_config(2, 5), WITHOUT)
    assert report["stage"] == "fleet" and report["parent"] == parent.origin
    assert report["training"]["seed"] == 5
    data = report["data"]
    assert data["users"] == 12 and data["poses"] == 24 and data["simulated_users"] == 0
    assert list(data["headsets"]) == ["a", "b", "c"]
    assert data["headsets"]["b"] == {
        "design": "ring16",
        "files": [{"name": "day1", "rows": 4 * 1100, "sha256": []}],
        "users": 4,
        "poses": 8,
    }


def test_each_headset_is_normalised_by_its_own_readings_if_asked_for(parent, recordings, one_thread):
    """One reads half of the others' light: its people look the same to the network, and change the mean."""
    dark = replace(recordings[0], readings=np.rint(recordings[0].readings * np.float32(0.5)))
    pair = [Source(Path("/fleet/a/r"), recordings[0]), Source(Path("/fleet/b/r"), dark)]
    config = adaptation_config(2, 0)
    refit = replace(WITHOUT, normalisation="refit")
    net, _ = adapt_fleet(parent, units_of(pair, HEADSET), HEADSET, config, refit)
    kept, _ = adapt_fleet(parent, units_of(pair, HEADSET), HEADSET, config, WITHOUT)
    usual = parent.net.normalisation
    np.testing.assert_array_equal(kept.normalisation.multiplier, usual.multiplier)
    factor = net.normalisation.multiplier * 2.0**-net.normalisation.shift
    own = [Source(Path(f"/fleet/{name}/r"), recordings[0]) for name in "ab"]
    alike, _ = adapt_fleet(parent, units_of(own, HEADSET), HEADSET, config, refit)
    of_bright = alike.normalisation.multiplier * 2.0**-alike.normalisation.shift
    np.testing.assert_allclose(factor, 1.5 * of_bright, rtol=0.02)  # the mean of it and of its double


def test_the_typical_normalisation_is_the_mean_whatever_the_shifts():
    a = Normalisation(np.array([100, 200], np.int32), np.array([4000, 8000], np.int32), 10)
    b = Normalisation(np.array([102, 204], np.int32), np.array([12000, 16000], np.int32), 11)
    found = typical([a, b])
    assert found.offset.tolist() == [101, 202]
    assert (found.multiplier.tolist(), found.shift) == ([5000, 8000], 10)


def test_a_manifest_says_of_which_headset_a_recording_is(recordings):
    named = [replace(r, provenance={"unit": unit}) for r, unit in zip(recordings, "xyx", strict=True)]
    units = units_of([Source(Path(f"/all/{k}"), r) for k, r in enumerate(named)], HEADSET)
    assert [(unit.name, len(unit.sources)) for unit in units] == [("x", 2), ("y", 1)]


def test_recordings_of_a_design_on_the_same_grid_may_be_among_them(parent, recordings, one_thread):
    sister = HEADSET.model_copy(update={"name": "sister"})
    pair = [
        Source(Path("/fleet/a/r"), recordings[0]),
        Source(Path("/fleet/b/r"), replace(recordings[1], headset="sister")),
    ]
    units = units_of(pair, HEADSET, [sister])
    assert [unit.headset.name for unit in units] == ["ring16", "sister"]
    net, report = adapt_fleet(parent, units, HEADSET, adaptation_config(2, 0), WITHOUT)
    assert net.headset == "ring16" and report["data"]["headsets"]["b"]["design"] == "sister"


def moved(source, **changes):
    return replace(source, recording=replace(source.recording, **changes))


GRID15, SISTER = load_headset("grid15"), HEADSET.model_copy(update={"name": "sister"})


@pytest.mark.parametrize(
    ("spoil", "others", "told"),
    [
        (lambda a, b: [a, replace(b, path=a.path)], [], "all recordings are of one headset, 'a'"),
        (
            lambda a, b: [a, moved(b, headset="grid15")],
            [],
            "day1: it is of headset 'grid15', expected 'ring16'",
        ),
        (lambda a, b: [a, b], [GRID15], "'grid15': its sensors do not lie on the grid of 'ring16'"),
        (
            lambda a, b: [a, replace(moved(b, headset="sister"), path=a.path), b],
            [SISTER],
            "headset 'a' has recordings of two designs, 'ring16' and 'sister'",
        ),
        (
            lambda a, b: [a, moved(b, t_us=b.recording.t_us * 2)],
            [],
            "b/day1 at 50 Hz and .*a/day1 at 100 Hz; expected one rate",
        ),
        (
            lambda a, b: [a, replace(b, recording=b.recording.take(slice(0, 1100)))],
            [],
            "cannot merge headset 'b': 1 of its users fixate often enough, at least 2",
        ),
    ],
)
def test_what_cannot_be_merged_is_told(parent, sources, spoil, others, told):
    with pytest.raises(PsogError, match=told):
        adapt_fleet(
            parent,
            units_of(spoil(*sources[:2]), HEADSET, others),
            HEADSET,
            adaptation_config(2, 0),
            WITHOUT,
        )
