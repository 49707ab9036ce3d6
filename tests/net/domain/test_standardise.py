"""Per-device standardisation: whole numbers that everybody finds, blinks passed over, and the map undone."""

import math
from dataclasses import replace

import numpy as np
import pytest

from psog.errors import RecordingError
from psog.net.domain.standardise import (
    MOST_READINGS,
    WearStatistics,
    WearSums,
    by_means,
    gain_and_offset,
    pooled,
    slot_readings,
    standardised,
)
from psog.net.integer import Normalisation

SENSORS = 5
GAIN = np.array([0.6, 0.9, 1.0, 1.2, 1.5])
NORMALISATION = Normalisation(np.full(SENSORS, 30_200, np.int32), np.full(SENSORS, 12_000, np.int32), 20, 2)


SLOT = 10
SOURCE = WearStatistics(np.full(SENSORS, 30_000), np.full(SENSORS, 2_000))


def wear(seed, count=8_000, gain=1.0, offset=0.0, blinks=0.0):
    """(count, sensors) readings of an eye that looks around, fixations of 40, whose lid now and then closes.

    It closes within 15 readings, and opens as fast.
    """
    random = np.random.default_rng(seed)
    gaze = random.uniform(-1, 1, (count // 40, 2)).repeat(40, axis=0)
    x = 30_000 + 2_000 * gaze @ random.normal(size=(2, SENSORS)) + 50 * random.normal(size=(count, SENSORS))
    blink = np.where(random.random(count // 40) < blinks, 9_000, 0)[:, None] * np.bartlett(40).clip(0, 0.8)
    return np.rint((x + blink.reshape(-1, 1)) * gain + offset).astype(np.uint16)


def sums_of(x, source=SOURCE):
    sums = WearSums(source, SLOT)
    return sums, sums.add(x)


def statistics(x, source=SOURCE):
    return sums_of(x, source)[0].statistics()


def test_sums_give_the_mean_and_sd_that_numpy_finds():
    x = wear(0)
    sums, counted = sums_of(x)
    found = sums.statistics()
    assert 0.5 < counted.mean() < 1
    assert np.abs(found.mean - x[counted].mean(axis=0)).max() <= 0.51
    assert np.abs(found.sd - x[counted].std(axis=0)).max() <= 0.51


def test_a_reading_counts_if_it_is_like_the_first_of_the_slot_before():
    x = wear(0, count=2_000)
    _, counted = sums_of(x)
    for k, row in enumerate(x.astype(int)):
        before = (k // SLOT - 1) * SLOT
        apart = np.abs(row - x[max(before, 0)].astype(int)) * ((1 << 20) // 2_000)
        assert counted[k] == (before >= 0 and apart.sum() <= 5 * (1 << 16) * SENSORS)


def test_readings_may_come_in_pieces():
    x = wear(0, blinks=0.05)
    whole = statistics(x)
    sums = WearSums(SOURCE, SLOT)
    for piece in np.array_split(x, 77):
        sums.add(piece)
    np.testing.assert_array_equal(sums.statistics().mean, whole.mean)
    np.testing.assert_array_equal(sums.statistics().sd, whole.sd)


@pytest.mark.parametrize("gain", [0.5, 1.0, 1.5])
def test_blinks_are_passed_over_whatever_the_gain(gain):
    calm, blinking = wear(1, gain=gain), wear(1, gain=gain, blinks=0.1)
    expected, found = (statistics(x) for x in (calm, blinking))
    assert (np.abs(found.mean - expected.mean) < 0.3 * np.abs(blinking.mean(axis=0) - expected.mean)).all()
    assert (np.abs(found.sd - expected.sd) < 0.4 * np.abs(blinking.std(axis=0) - expected.sd)).all()


def test_the_largest_sums_fit_into_64_bits():
    extremes = np.zeros((2 * MOST_READINGS, 1), np.uint16)
    extremes[: MOST_READINGS // 2 + SLOT] = 65_535
    sums, counted = sums_of(extremes, WearStatistics(np.array([1]), np.array([1])))
    assert counted.sum() == MOST_READINGS
    assert sums.statistics().mean == 32_767 and sums.statistics().sd == 32_767
    n = MOST_READINGS
    assert n * 65_535 < 1 << 32 and n * (n * 65_535**2) < 1 << 64


def test_a_changed_device_is_seen_as_the_one_that_was_trained_with():
    source, target = wear(2), wear(2, gain=GAIN, offset=2_000)
    of_source, of_target = (statistics(x) for x in (source, target))
    changed = standardised(NORMALISATION, of_source, of_target)
    before, after = NORMALISATION(target)[..., 0], changed(target)[..., 0]
    expected = NORMALISATION(source)[..., 0].astype(int)
    assert np.abs(after - expected).max() <= 1
    assert np.abs(before - expected).max() > 40


def test_the_fold_is_the_affine_map():
    source, target = wear(2), wear(2, gain=GAIN, offset=2_000)
    both = [statistics(x) for x in (source, target)]
    gain, offset = gain_and_offset(*both)
    np.testing.assert_allclose(gain, 1 / GAIN, rtol=2e-3)
    mapped = np.rint(target * gain + offset).astype(np.uint16)
    folded = standardised(NORMALISATION, *both)
    assert np.abs(folded(target)[..., 0].astype(int) - NORMALISATION(mapped)[..., 0]).max() <= 1


def test_multipliers_that_grow_lose_a_bit_of_all():
    source = WearStatistics(np.full(SENSORS, 30_000), np.full(SENSORS, 2_000))
    target = replace(source, sd=np.array([2_000, 2_000, 2_000, 2_000, 700]))
    changed = standardised(NORMALISATION, source, target)
    assert (
        changed.shift == NORMALISATION.shift - 2
    )  # 12,000 · 2,000 / 700 is 34,286: below 16,384 at a quarter
    assert changed.multiplier.max() <= 16_383
    np.testing.assert_allclose(
        changed.multiplier * 2.0**-changed.shift,
        NORMALISATION.multiplier * 2.0**-NORMALISATION.shift * source.sd / target.sd,
        rtol=3e-4,
    )


def test_equal_statistics_change_nothing():
    same = statistics(wear(3))
    changed = standardised(NORMALISATION, same, same)
    np.testing.assert_array_equal(changed.offset, NORMALISATION.offset)
    np.testing.assert_array_equal(changed.multiplier, NORMALISATION.multiplier)
    assert changed.shift == NORMALISATION.shift


def test_what_lies_between_wearers_is_not_their_spread():
    a, b = (WearStatistics(np.array([mean]), np.array([sd])) for mean, sd in ((10_000, 300), (30_000, 400)))
    both = pooled([a, b])
    assert both.mean.tolist() == [20_000] and both.sd.tolist() == [round(math.sqrt((300**2 + 400**2) / 2))]


def test_a_gain_is_told_by_the_means_alone_and_dark_stays_dark():
    source, target = (statistics(x) for x in (wear(2), wear(4, gain=GAIN)))
    gain, offset = gain_and_offset(source, by_means(source, target))
    np.testing.assert_allclose(gain, 1 / GAIN, rtol=0.03)
    assert np.abs(offset).max() < 10
    affine, _ = gain_and_offset(source, target)
    assert np.abs(affine * GAIN - 1).max() > 0.1  # another wearer, another spread


@pytest.mark.parametrize(
    ("x", "told"),
    [
        (wear(0, count=400), r"of 400 readings are of an eye at rest, at least 2000 expected: 10 s"),
        (wear(0)[np.random.default_rng(0).permutation(8_000)], r"of 8000 readings are of an eye at rest"),
    ],
)
def test_too_little_wear_is_refused(x, told):
    with pytest.raises(RecordingError, match=told):
        statistics(x)


@pytest.mark.parametrize("sd", [30, 130_000])
def test_a_sensor_out_of_reach_is_refused(sd):
    source = WearStatistics(np.array([30_000, 30_000]), np.array([2_000, 2_000]))
    target = replace(source, sd=np.array([2_000, sd]))
    for use in (gain_and_offset, lambda *both: standardised(NORMALISATION, *both)):
        with pytest.raises(RecordingError, match=f"sensor 1 has a spread of {sd}, expected 2000"):
            use(source, target)


@pytest.mark.parametrize(("rate_hz", "readings"), [(1_000, 50), (30, 2), (29, 1), (1, 1)])
def test_a_slot_is_told_in_seconds(rate_hz, readings):
    assert slot_readings(rate_hz) == readings
