"""Saccades, fixations and blinks that are found while they happen."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from psog.benchmarks.event_scores import matched, score
from psog.benchmarks.event_wearers import watch
from psog.benchmarks.events import figures
from psog.errors import PsogError
from psog.headset import load_headset
from psog.live.batch import Batch
from psog.live.events import EventDetector
from psog.net.shipped import model_place
from psog.net.store import load_model
from psog.sim.movement import EyeMovement
from psog.sim.saccades import draw_saccade
from psog.sim.streams import stream
from psog.virtual.source import Target
from psog.virtual.wearer import Truth

NOISE_DEG = 0.3


def batch(gaze_deg, closed=(), start_us=0):
    """Gaze (n, 2) at 1 kHz, with lids that are closed in some stretches."""
    count = len(gaze_deg)
    flags = np.ones(count, np.uint8)
    for begin, end in closed:
        flags[begin:end] = 0
    ones = np.ones(count, np.float32)
    t_us = start_us + 1000 * np.arange(count, dtype=np.int64)
    seq = np.arange(count).astype(np.uint16)
    unknown_s = np.full(count, np.nan)
    return Batch(t_us, seq, np.asarray(gaze_deg, np.float32), ones, ones, flags, unknown_s, None)


def looks(*places_deg, every=400, noise_deg=NOISE_DEG, seed=1):
    """An eye that looks at one place after the other; a saccade begins every so many readings."""
    random = stream(seed, "tests/events")
    t_s = np.arange(every) / 1000
    parts = [np.tile(places_deg[0], (every, 1))]
    for start, end in pairwise(places_deg):
        parts.append(draw_saccade(random, np.array(start, float), np.array(end, float)).at(t_s))
    gaze_deg = np.concatenate(parts)
    return gaze_deg + noise_deg * random.standard_normal(gaze_deg.shape)


def events_of(given, pieces=20, rate_hz=1000.0):
    detector, found = EventDetector(rate_hz), []
    for begin in range(0, len(given.t_us), pieces):
        found += detector.add(given.part(slice(begin, begin + pieces)))
    return found + detector.end()


def kinds(events):
    return [event.kind for event in events]


def test_an_eye_that_jumps_between_places_makes_saccades_and_fixations():
    found = events_of(batch(looks((0, 0), (10, 0), (10, -6), (-5, 3))))
    assert kinds(found) == ["fixation", "saccade"] * 3 + ["fixation"]
    saccades = found[1::2]
    assert [event.start_us for event in saccades] == pytest.approx([400_000, 800_000, 1_200_000], abs=8_000)
    assert [event.amplitude_deg for event in saccades] == pytest.approx([10, 6, np.hypot(15, 9)], abs=0.8)
    assert all(200 < event.peak_deg_s < 800 for event in saccades)
    for event, place in zip(found[::2], [(0, 0), (10, 0), (10, -6), (-5, 3)], strict=True):
        assert event.centre_deg == pytest.approx(place, abs=0.3)
    for before, after in pairwise(found):
        assert 0 < after.start_us - before.end_us <= 1_000


def test_noise_alone_is_one_fixation():
    for noise_deg in (0.0, 0.1, 0.5, 1.0):
        found = events_of(batch(looks((3, -2), noise_deg=noise_deg, every=8_000)))
        assert kinds(found) == ["fixation"]
        assert (found[0].start_us, found[0].end_us) == (0, 7_999_000)


def test_what_is_found_does_not_depend_on_how_readings_are_batched():
    given = batch(
        looks(*((5 * (k % 3), -4 * (k % 2)) for k in range(12))),
        [(900, 1050), (2_000, 2_003), (3_300, 3_500)],
    )
    whole = repr(events_of(given, len(given.t_us)))
    for pieces in (3, 50, 333):
        assert repr(events_of(given, pieces)) == whole


def test_closed_lids_are_a_blink_with_its_flanks_and_no_saccade_is_seen_there():
    gaze_deg = looks((0, 0), every=2_000)
    gaze_deg[985:1_130] += [0, -15]  # what a closing lid does to the gaze
    found = events_of(batch(gaze_deg, [(1_000, 1_060), (1_075, 1_120)]))
    assert kinds(found) == ["fixation", "blink", "fixation"]
    blink = found[1]
    assert (blink.start_us, blink.end_us) == (972_000, 1_144_000)
    assert np.isnan(blink.centre_deg).all()
    assert np.isnan(blink.peak_deg_s)


def test_a_moment_without_valid_gaze_is_no_blink():
    found = events_of(batch(looks((0, 0), every=2_000), [(700, 710), (1_200, 1_201)]))
    assert kinds(found) == ["fixation"]


def test_gaze_that_is_no_number_counts_as_closed():
    gaze_deg = looks((0, 0), every=2_000)
    gaze_deg[1_000:1_100] = np.nan
    assert kinds(events_of(batch(gaze_deg))) == ["fixation", "blink", "fixation"]


def test_nothing_reaches_over_a_gap_in_the_readings():
    gaze_deg = looks((0, 0), every=1_000)
    one, other = batch(gaze_deg), batch(gaze_deg + np.array([8, 0]), start_us=1_500_000)
    both = Batch._make(None if a is None else np.concatenate([a, b]) for a, b in zip(one, other, strict=True))
    for pieces in (100, 3_000):
        found = events_of(both, pieces)
        assert kinds(found) == ["fixation", "fixation"]
        assert [event.end_us for event in found] == [999_000, 2_499_000]


def test_a_few_lost_readings_make_no_saccade():
    gaze_deg = looks((0, 0), every=3_000)
    kept = np.ones(3_000, bool)
    kept[[500, 501, 502, 900, 1_700, 1_701]] = False
    assert kinds(events_of(batch(gaze_deg).part(np.flatnonzero(kept)))) == ["fixation"]


def test_an_event_is_told_within_a_quarter_of_a_second():
    given = batch(looks((0, 0), (10, 0), every=600))
    detector = EventDetector()
    for begin in range(0, 1_200, 5):
        found = detector.add(given.part(slice(begin, begin + 5)))
        told = [event for event in found if event.kind == "saccade"]
        if told:
            assert given.t_us[begin + 4] - told[0].end_us < 250_000
            return
    pytest.fail("no saccade was told")


def test_memory_does_not_grow():
    def held(detector):
        return len(detector._t_us) + len(detector._blinks._closed) + len(detector._runs._open)

    given = batch(
        looks(*((5 * (k % 3), 0) for k in range(20))), [(k, k + 90) for k in range(300, 7_000, 700)]
    )
    detector, sizes = EventDetector(), []
    for turn in range(4):
        later = given._replace(t_us=given.t_us + turn * 8_000_000)
        for begin in range(0, 8_000, 100):
            detector.add(later.part(slice(begin, begin + 100)))
        sizes.append(held(detector))
    assert max(sizes) < 400


def test_other_rates_find_the_same():
    gaze_deg = looks((0, 0), (10, 0), (10, -6))[::2]
    given = batch(gaze_deg)._replace(t_us=2000 * np.arange(len(gaze_deg), dtype=np.int64))
    assert kinds(events_of(given, rate_hz=500)) == ["fixation", "saccade"] * 2 + ["fixation"]
    with pytest.raises(
        PsogError, match=r"cannot find events at 60 readings a second; expected 200 to 10,000"
    ):
        EventDetector(60)


def test_simulated_eye_movements_are_found_and_scored():
    eye = EyeMovement(3, 1000.0)
    parts = []
    for k in range(12):
        eye.look_at(Target(8.0 * (k % 3) - 8, 5.0 * (k % 2)))
        parts.append(eye.advance(700))
    gaze_deg = np.concatenate([part.gaze_deg for part in parts])
    random = stream(1, "tests/events")
    given = batch(gaze_deg + 0.2 * random.standard_normal(gaze_deg.shape))
    event = np.concatenate([part.event for part in parts])
    openness = np.concatenate([part.openness for part in parts])
    truth = Truth(given.t_us, gaze_deg, openness, event)
    found = figures([score(events_of(given), truth)])
    assert found["saccade"]["recall_large"] > 0.9
    assert found["fixation"]["reading_f1"] > 0.9


def test_spans_are_matched_once_with_what_overlaps_most():
    assert matched([(0, 10), (20, 30), (40, 50)], [(8, 22), (23, 31), (60, 70)]) == [(0, 0), (1, 1)]
    assert matched([(0, 100)], [(0, 10), (20, 90)]) == [(0, 1)]


def test_events_of_a_wearer_whom_the_model_has_never_seen():
    net = load_model(model_place(Path("ring16"))).net
    watched = watch(net, load_headset("ring16"), 1001, 12.0)
    found = figures([score(events_of(watched.batch), watched.truth)])
    assert found["saccade"]["recall_large"] > 0.8
    assert found["saccade"]["precision"] > 0.8
    assert found["fixation"]["reading_f1"] > 0.9
