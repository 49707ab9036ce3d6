"""The pupil: steady in a light, quick to close, slow to open, never at rest."""

import numpy as np
import pytest

from psog.errors import ShapeError, SimulationError
from psog.sim import pupil
from psog.sim.anatomy import PUPIL_MM, PUPIL_RANGE_MM
from psog.sim.pupil import Pupil, draw_stretches, own_diameter_mm, steady_diameter_mm
from psog.sim.streams import stream

RATE_HZ = 100.0


class Steady(Pupil):
    """Without its unrest: the reflex alone."""

    def advance(self, count, luminance_cd_m2):
        return super().advance(count, luminance_cd_m2) - self._still.advance(count)[:, 0]

    def __init__(self, index=0):
        super().__init__(1, index, RATE_HZ, 4.0)
        self._still = pupil.Drift(
            stream(1, "unrest", index), RATE_HZ, sd=pupil.MOMENT_SD_MM, time_s=pupil.UNREST_TIME_S, axes=1
        )


@pytest.mark.parametrize("age_years", [20, 30, 83])
def test_steady_diameter_is_the_published_one(age_years):
    """The paper's appendix gives the formula once more, as one fraction with its own constants."""
    light = np.geomspace(1e-4, 1e4, 9)
    power = (light * 700) ** 0.41
    expected = (18.5172 + 0.122165 * power - 0.105569 * age_years + 0.000138645 * power * age_years) / (
        2 + 0.0630635 * power
    )
    found = steady_diameter_mm(light, area_deg2=700, age_years=age_years)
    np.testing.assert_allclose(found, expected, rtol=2e-4)


def test_steady_diameter_follows_the_formula_of_stanley_and_davies_at_the_reference_age():
    """F = L a = 846 cd/m² deg² makes the power 1, so D = 7.75 - 5.75 / 3."""
    assert steady_diameter_mm(0.846, area_deg2=1000, age_years=28.58) == pytest.approx(7.75 - 5.75 / 3)


def test_more_light_and_more_years_make_a_smaller_pupil():
    light = np.geomspace(0.01, 1000, 30)
    assert (np.diff(steady_diameter_mm(light)) < 0).all()
    assert steady_diameter_mm(1.0, age_years=70) < steady_diameter_mm(1.0, age_years=20) - 0.5


def test_a_display_gives_the_average_user_the_average_pupil():
    assert steady_diameter_mm(pupil.DISPLAY_CD_M2) == pytest.approx(PUPIL_MM, abs=0.1)
    assert own_diameter_mm(5.2, pupil.DISPLAY_CD_M2) == pytest.approx(5.2)


def test_stretches_of_wear_differ_by_the_spread_that_the_bound_assumes():
    luminance, arousal = draw_stretches(stream(3, "test"), 4000)
    diameter = own_diameter_mm(4.0 + arousal, luminance)
    assert diameter.std() == pytest.approx(pupil.POSE_SD_MM, rel=0.1)
    assert np.median(luminance) == pytest.approx(pupil.DISPLAY_CD_M2, rel=0.05)


def answer(before_cd_m2, after_cd_m2, seconds=12):
    """(n,) reflex of one user to a step of light, which comes with the first sample."""
    eye = Steady()
    eye.settle(4.0, before_cd_m2)
    return eye.advance(round(seconds * RATE_HZ), after_cd_m2)


def test_light_closes_the_pupil_after_a_latency_and_darkness_opens_it_more_slowly():
    closing, opening = answer(1.0, 100.0), answer(100.0, 1.0)
    halfway = []
    for found in (closing, opening):
        moving = np.abs(found - found[0]) > 1e-6
        assert 0.2 <= moving.argmax() / RATE_HZ <= 0.42
        share = (found - found[0]) / (found[-1] - found[0])
        assert (np.diff(share) >= -1e-9).all()
        halfway.append((share > 0.5).argmax() - moving.argmax())
    assert closing[-1] < closing[0] - 1.5
    assert opening[-1] == pytest.approx(closing[0], abs=0.01)
    assert halfway[1] / halfway[0] == pytest.approx(pupil.REDILATION, rel=0.1)


def test_a_short_flash_does_not_close_the_pupil_fully():
    light = np.full(600, 1.0)
    light[100:120] = 100.0
    eye = Steady()
    eye.settle(4.0, 1.0)
    found = eye.advance(600, light)
    steady = own_diameter_mm(4.0, 100.0)
    assert found[0] > found.min() + 0.5
    assert found.min() > steady + 0.5
    assert found[-1] == pytest.approx(found[0], abs=0.1)


def test_a_pupil_does_not_depend_on_how_it_is_asked_for():
    light = 10 ** np.repeat(np.sin(np.arange(40)), 25)
    whole = Pupil(2, 5, RATE_HZ, 4.0).advance(1000, light)
    eye, parts = Pupil(2, 5, RATE_HZ, 4.0), []
    for part in np.split(light, [1, 1, 8, 300, 301, 777]):
        parts.append(eye.advance(len(part), part))
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-12)


def test_unrest_is_slow_and_small():
    found = Pupil(4, 0, RATE_HZ, 4.0).advance(60_000, pupil.DISPLAY_CD_M2)
    assert found.std() == pytest.approx(pupil.MOMENT_SD_MM, rel=0.15)
    power = np.abs(np.fft.rfft(found - found.mean())) ** 2
    assert power[np.fft.rfftfreq(len(found), 1 / RATE_HZ) < 0.5].sum() > 0.9 * power.sum()


def test_no_light_is_too_strong_or_too_weak_for_the_range():
    for luminance in (0.0, 1e6):
        found = Pupil(4, 0, RATE_HZ, 6.0).advance(2000, luminance)
        assert (found >= PUPIL_RANGE_MM[0]).all()
        assert (found <= PUPIL_RANGE_MM[1]).all()


def test_impossible_light_is_refused():
    eye = Pupil(0, 0, RATE_HZ, 4.0)
    for wrong in (-1.0, float("nan")):
        with pytest.raises(SimulationError, match="luminance"):
            eye.advance(3, wrong)
    with pytest.raises(ShapeError, match="luminances"):
        eye.advance(3, np.ones(4))
