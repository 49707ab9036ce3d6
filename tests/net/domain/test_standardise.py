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
    gain_and_offset,
    pooled,
    rough_readings,
    standardised,
    wear_statistics,
)
from psog.net.integer import Normalisation

SENSORS = 5
GAIN = np.array([0.6, 0.9, 1.0, 1.2, 1.5])
NORMALISATION = Normalisation(np.full(SENSORS, 30_200, np.int32), np.full(SENSORS, 12_000, np.int32), 20, 2)


def wear(seed, count=8_000, gain=1.0, offset=0.0, blinks=0.0):
    """(count, sensors) readings of an eye that looks around, whose lid now and then shuts."""
    random = np.random.default_rng(seed)
    gaze = random.uniform(-1, 1, (count // 40, 2)).repeat(40, axis=0)
    x = 30_000 + 2_000 * gaze @ random.normal(size=(2, SENSORS)) + 50 * random.normal(size=(count, SENSORS))
    shut = (random.random(count // 40) < blinks).repeat(40)
    x[shut] += 9_000
    return np.rint(x * gain + offset).astype(np.uint16)


def test_sums_give_the_mean_and_sd_that_numpy_finds():
    x = wear(0)
    found = wear_statistics(x, rough=1_000)
    assert np.abs(found.mean - x[1_000:].mean(axis=0)).max() <= 0.51
    assert np.abs(found.sd - x[1_000:].std(axis=0)).max() <= 0.51


def test_readings_may_come_in_pieces():
    x = wear(0, blinks=0.05)
    whole = wear_statistics(x, rough=1_001)
    sums = WearSums(SENSORS, rough=1_001)
    for piece in np.array_split(x, 77):
        sums.add(piece)
    np.testing.assert_array_equal(sums.statistics().mean, whole.mean)
    np.testing.assert_array_equal(sums.statistics().sd, whole.sd)


def test_blinks_are_passed_over():
    calm, blinking = wear(1), wear(1, blinks=0.05)
    expected, found = (wear_statistics(x, rough=2_000) for x in (calm, blinking))
    ungated = np.abs(blinking[2_000:].mean(axis=0) - expected.mean) / expected.sd
    assert (ungated > 0.15).all()
    assert (np.abs(found.mean - expected.mean) < 0.1 * expected.sd).all()
    assert (np.abs(found.sd - expected.sd) < 0.1 * expected.sd).all()


def test_the_largest_sums_fit_into_64_bits():
    extremes = np.zeros((2 * MOST_READINGS, 2), np.uint16)
    extremes[::2] = 65_535
    found = wear_statistics(extremes, rough=1_000)
    np.testing.assert_array_equal(found.mean, [32_768, 32_768])
    np.testing.assert_array_equal(found.sd, [32_767, 32_767])
    n = MOST_READINGS
    assert n * (n * 65_535**2) < 1 << 64
    assert math.isqrt(n * n * 65_535**2) == n * 65_535


def test_a_changed_device_is_seen_as_the_one_that_was_trained_with():
    source, target = wear(2), wear(2, gain=GAIN, offset=2_000)
    rough = 1_000
    of_source, of_target = (wear_statistics(x, rough) for x in (source, target))
    changed = standardised(NORMALISATION, of_source, of_target)
    before, after = NORMALISATION(target)[..., 0], changed(target)[..., 0]
    expected = NORMALISATION(source)[..., 0].astype(int)
    assert np.abs(after - expected).max() <= 1
    assert np.abs(before - expected).max() > 40


def test_the_fold_is_the_affine_map():
    source, target = wear(2), wear(2, gain=GAIN, offset=2_000)
    statistics = [wear_statistics(x, 1_000) for x in (source, target)]
    gain, offset = gain_and_offset(*statistics)
    np.testing.assert_allclose(gain, 1 / GAIN, rtol=2e-3)
    mapped = np.rint(target * gain + offset).astype(np.uint16)
    folded = standardised(NORMALISATION, *statistics)
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
    same = wear_statistics(wear(3), 1_000)
    changed = standardised(NORMALISATION, same, same)
    np.testing.assert_array_equal(changed.offset, NORMALISATION.offset)
    np.testing.assert_array_equal(changed.multiplier, NORMALISATION.multiplier)
    assert changed.shift == NORMALISATION.shift


def test_what_lies_between_wearers_is_not_their_spread():
    a, b = (WearStatistics(np.array([mean]), np.array([sd])) for mean, sd in ((10_000, 300), (30_000, 400)))
    both = pooled([a, b])
    assert both.mean.tolist() == [20_000] and both.sd.tolist() == [round(math.sqrt((300**2 + 400**2) / 2))]


@pytest.mark.parametrize(
    ("x", "told"),
    [
        (wear(0, count=400), "only 0 readings count after the first 1000"),
        (wear(0, count=1_200), "only 200 readings count"),
        (np.concatenate([wear(0, 1_000), wear(0, 1_000), wear(0, 4_000, gain=1.8)]), "20 % of the readings"),
    ],
)
def test_too_little_wear_is_refused(x, told):
    with pytest.raises(RecordingError, match=told):
        wear_statistics(x, rough=1_000)


@pytest.mark.parametrize("sd", [200, 17_000])
def test_a_sensor_out_of_reach_is_refused(sd):
    source = WearStatistics(np.array([30_000, 30_000]), np.array([2_000, 2_000]))
    target = replace(source, sd=np.array([2_000, sd]))
    for use in (gain_and_offset, lambda *both: standardised(NORMALISATION, *both)):
        with pytest.raises(RecordingError, match=f"sensor 1 has a spread of {sd}, expected 2000"):
            use(source, target)


def test_the_rough_part_is_told_in_seconds():
    assert rough_readings(1_000) == 10_000 and rough_readings(0.01) == 1
