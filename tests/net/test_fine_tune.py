"""Fine-tuning on one user: judged on fixations it has not seen, and left alone where it does not help."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.benchmarks.stages_headset import built
from psog.errors import RecordingError
from psog.headset import load_headset
from psog.metrics import angular_error
from psog.net.calibrated import calibrated, int8_features
from psog.net.fine_tune import FineTuning, held_out
from psog.net.personalise import personalise
from psog.net.sources import Source
from psog.net.store import load_model
from psog.recording import FIXATION

HEADSET = load_headset("ring16")
BORDER = 0.5
SHORT = FineTuning(seed=2, lengths=(30, 60))


@pytest.fixture(scope="module")
def own():
    """What one person's headset read, which is not quite as its file says, in 21 s with two slips."""
    return Source(Path("own"), built(HEADSET, seed=100).record_tested(0, seconds=21, seed=5))


@pytest.fixture(scope="module")
def parent(tiny_model):
    return load_model(tiny_model)


def personal(parent, source, tuning):
    return personalise(parent, source, HEADSET, openness_border=BORDER, tuning=tuning)


def same(a, b):
    pairs = [(x.weight, y.weight) for x, y in zip(a.layers, b.layers, strict=True)]
    return all(np.array_equal(x, y) for x, y in [*pairs, (a.head.weight, b.head.weight)])


def test_one_fixation_in_four_is_held_out_as_a_whole():
    rows = np.concatenate([np.arange(100 * k, 100 * k + 30) for k in range(13)])
    held = held_out(rows, np.zeros((len(rows), 2)))
    assert np.unique(rows[held] // 100).tolist() == [3, 7, 11]
    assert np.count_nonzero(held) == 90


def test_a_new_target_is_a_new_fixation_though_no_row_lies_between():
    gaze_deg = np.repeat(np.arange(12)[:, None] * [5.0, 0.0], 10, axis=0)
    assert np.flatnonzero(held_out(np.arange(120), gaze_deg)).tolist() == [
        *range(30, 40),
        *range(70, 80),
        *range(110, 120),
    ]


def test_too_few_fixations_cannot_judge():
    with pytest.raises(RecordingError, match="it has 5 fixations, at least 12 expected to fine-tune"):
        held_out(np.arange(50), np.repeat(np.arange(5)[:, None] * [5.0, 5.0], 10, axis=0))


def test_what_is_kept_is_better_on_fixations_that_were_held_out(parent, own, one_thread):
    net, report = personal(parent, own, SHORT)
    found = report["training"]["fine_tuning"]
    assert found["kept"] == "fine-tuned"
    recording = own.recording
    fixating = np.flatnonzero(recording.columns["valid"] & (recording.columns["event"] == FIXATION))
    gaze_deg, wire = recording.gaze_deg.astype(float), HEADSET.to_wire(recording.readings)
    held = held_out(fixating, gaze_deg[fixating])
    learnt, judged = fixating[~held], fixating[held]

    def error_deg(each):
        wearer = calibrated(each, int8_features, wire[learnt], gaze_deg[learnt])
        return angular_error(wearer(wire[judged]), gaze_deg[judged]).mean()

    assert error_deg(net) < error_deg(parent.net)
    assert found["held_out_deg"] < found["closed_form_deg"]
    assert found["held_out_deg"] == min(run["held_out_deg"] for run in found["tried"])


def test_where_no_run_is_better_the_closed_form_is_kept(parent, own, one_thread):
    closed, _ = personal(parent, own, None)
    wild = replace(SHORT, learning_rate=3.0, lengths=(3,))
    net, report = personal(parent, own, wild)
    found = report["training"]["fine_tuning"]
    assert found["kept"] == "closed form" and len(found["tried"]) == 1
    assert found["held_out_deg"] == found["closed_form_deg"] < found["tried"][0]["held_out_deg"]
    assert same(net, closed)


def test_a_pruned_network_stays_pruned_and_says_so(pruned, own, one_thread):
    border = -10.0  # it has not learnt to tell openness
    tuning = FineTuning(lengths=(20,))
    net, report = personalise(pruned, own, HEADSET, openness_border=border, tuning=tuning)
    assert report["training"]["fine_tuning"]["kept"] == "fine-tuned"
    before, after = pruned.net.layers[1].weight, net.layers[1].weight
    assert not np.array_equal(before, after)
    assert not ((after != 0).any(axis=(1, 2)) & ~(before != 0).any(axis=(1, 2))).any()
    assert report["pruning"] == pruned.report["pruning"]
