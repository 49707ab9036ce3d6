"""Alignment without labels: it takes back what a device changed, says what it did, never looks at gaze."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.errors import ModelError, RecordingError
from psog.net.adapt import adaptation_config
from psog.net.calibrated import int8_features, uncalibrated
from psog.net.domain.align import Alignment, align
from psog.net.domain.methods import METHODS
from psog.net.sources import Source
from psog.net.store import Model
from psog.net.tensors import pack
from psog.recording import Recording
from tests.net.conftest import toy_counts, toy_episodes

GAIN = np.where(np.arange(16) % 2, 0.8, 1.1)
CONFIG = adaptation_config(steps=6, seed=3)


@pytest.fixture(scope="module")
def parent(trained):
    """A model of toy eyes."""
    return Model(*trained, origin={"name": "toy", "weights_sha256": "x", "stage": "population"})


@pytest.fixture(scope="module")
def labelled():
    return toy_episodes("ring16", 60, 1)


def worn(seed, wearers=4, fixations=240):
    """People who fixate for half a second each, with sensors that read more or less than they should."""
    random = np.random.default_rng(seed)
    count = wearers * fixations * 10
    gaze = random.uniform(-15, 15, (wearers * fixations, 2)).repeat(10, axis=0)
    offset = random.normal(0, 4, (wearers, 2)).repeat(fixations * 10, axis=0)
    return Recording(
        "ring16",
        np.arange(count) * 50_000,
        (toy_counts(16, gaze + offset) * GAIN).astype(np.float32),
        {
            "gaze_h_deg": gaze[:, 0].astype(np.float32),
            "gaze_v_deg": gaze[:, 1].astype(np.float32),
            "user": np.arange(wearers, dtype=np.int32).repeat(fixations * 10),
        },
    )


@pytest.fixture(scope="module")
def people():
    return [Source(Path("people"), worn(5), ("a",))]


def error_deg(net, headset):
    others = worn(6, wearers=12, fixations=30)
    gaze_deg = uncalibrated(net, int8_features)(headset.to_wire(others.readings))
    return np.linalg.norm(gaze_deg - others.gaze_deg, axis=1).mean()


def same(a, b):
    return all(np.array_equal(tensor, pack(b)[1][name]) for name, tensor in pack(a)[1].items())


def test_standardising_takes_back_what_the_device_changed(parent, ring16, people, aligned):
    net, _ = aligned(people, Alignment("standardise"))
    assert error_deg(net, ring16) < 0.8 * error_deg(parent.net, ring16)
    assert all(np.array_equal(a.weight, b.weight) for a, b in zip(net.layers, parent.net.layers, strict=True))


@pytest.fixture(scope="module")
def aligned(parent, ring16, labelled):
    """Aligns the toy model to people in a way."""

    def by(people, how):
        return align(parent, people, ring16, CONFIG, how, labelled=labelled)

    return by


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("method", METHODS)
def test_gaze_is_not_looked_at_and_the_report_says_what_was_done(parent, people, aligned, method):
    blind = [
        replace(one, recording=replace(one.recording, columns={"user": one.recording.columns["user"]}))
        for one in people
    ]
    how = Alignment(method)
    net, report = aligned(people, how)
    again, _ = aligned(blind, how)
    assert same(net, again) and not same(net, parent.net)
    assert report["stage"] == "headset" and report["parent"] == parent.origin
    assert report["training"]["seed"] == 3
    data = report["data"]
    assert data["kind"] == "unlabelled recordings" and data["method"] == method
    assert data["files"] == [{"name": "people", "rows": 9_600, "sha256": ["a"]}]
    assert data["wearers"] == 4 and data["labelled_users"] == 60


@pytest.mark.usefixtures("one_thread")
def test_each_domain_may_have_a_normalisation_of_its_own(parent, people, aligned):
    mapped, _ = aligned(people, Alignment("standardise"))
    both, _ = aligned(people, Alignment("coral", standardise_first=True))
    np.testing.assert_array_equal(both.normalisation.offset, mapped.normalisation.offset)
    assert not np.array_equal(both.head.weight, parent.net.head.weight)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda r: replace(r, headset="grid15"), RecordingError, "recording is of headset 'grid15'"),
        (lambda r: r.take(slice(0, 100)), RecordingError, "cannot align to people, stretch 0: .* at rest"),
        (lambda r: replace(r, readings=np.full_like(r.readings, np.nan)), RecordingError, "not a number"),
        (lambda r: replace(r, readings=r.readings * 0 + 7), RecordingError, "sensor 0 has a spread of 1,"),
    ],
)
def test_a_target_that_cannot_be_is_refused(people, aligned, change, error, told):
    wrong = [replace(people[0], recording=change(people[0].recording))]
    with pytest.raises(error, match=told):
        aligned(wrong, Alignment("standardise"))


def test_no_recording_and_no_weight_are_refused(parent, ring16, labelled):
    with pytest.raises(RecordingError, match="no recording of the target"):
        align(parent, [], ring16, CONFIG, Alignment("standardise"), labelled=labelled)
    with pytest.raises(ModelError, match="weight of the features' loss is 0"):
        Alignment("coral", weight=0.0)
    with pytest.raises(ModelError, match="the labelled users wear 'grid15'"):
        align(parent, [], ring16, CONFIG, Alignment("coral"), labelled=toy_episodes("grid15", 20, 1))
