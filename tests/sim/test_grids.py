"""Calibration grids of up to 25 targets."""

import numpy as np
import pytest

from psog.errors import SimulationError
from psog.sim.grids import calibration_targets

FIELD_DEG = (20.0, 20.0)


def test_usual_grids_are_symmetric_and_each_holds_the_smaller_ones():
    for points in (1, 5, 9, 13, 25):
        grid = calibration_targets(FIELD_DEG, points)
        assert {tuple(row) for row in grid} == {tuple(row) for row in -grid + 0.0}
        assert len(np.unique(grid, axis=0)) == points
    np.testing.assert_array_equal(calibration_targets(FIELD_DEG, 13), calibration_targets(FIELD_DEG, 25)[:13])


def test_targets_reach_three_quarters_of_the_field():
    grid = calibration_targets((20.0, 10.0), 9)
    assert np.abs(grid).max(axis=0).tolist() == [15.0, 6.0]
    assert len(calibration_targets(FIELD_DEG, 0)) == 0


@pytest.mark.parametrize("points", [-1, 26])
def test_no_grid_has_more_targets_than_there_are(points):
    with pytest.raises(SimulationError, match=f"{points} targets, expected 0 to 25"):
        calibration_targets(FIELD_DEG, points)
