"""Sums over windows by matrices, against the protocol written down pixel by pixel."""

import numpy as np
import pytest

from psog.errors import SimulationError
from psog.headset import load_headset
from psog.sim.windows import CROP_PX, SHIFT_CYCLE_MM, PictureSensors, windows_of


def slow_reading(picture, eye_px, shift_px, sensor):
    """The ETRA 2019 protocol at 8 px/mm: crop, mirror, weigh, take the mean."""
    left = eye_px[0] + shift_px[0] - 160
    top = eye_px[1] - shift_px[1] - 120
    far = 400  # more than any crop leaves the picture
    padded = np.pad(picture, far, mode="reflect")
    crop = padded[far + top : far + top + 240, far + left : far + left + 320]
    inside = np.pad(crop, 100, mode="reflect")
    row, column = 100 + 120 + 20 + 60 * (sensor // 5 - 1), 100 + 160 + 60 * (sensor % 5 - 2)
    window = inside[row - 60 : row + 61, column - 60 : column + 61].astype(np.float64)
    offset = np.arange(-60, 61)
    weight = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 30.25**2))
    weight = (weight - weight.min()) / (weight.max() - weight.min())
    return (window * weight).mean()


@pytest.mark.parametrize("eye_px", [(200, 150), (30, 280)])
def test_readings_equal_the_protocol_pixel_by_pixel_also_where_crop_and_windows_are_mirrored(eye_px):
    pictures = np.random.default_rng(0).integers(0, 256, (4, 300, 420), dtype=np.uint8)
    shift_mm = np.array([[0, 0], [2, -2], [-0.5, 1], [-2, 2]])
    sensors = PictureSensors(windows_of(load_headset("grid15")), (420, 300), 8.0, eye_px)
    slow = [
        [slow_reading(picture, eye_px, (8 * shift).astype(int), sensor) for sensor in range(15)]
        for picture, shift in zip(pictures, shift_mm, strict=True)
    ]
    np.testing.assert_allclose(sensors.read(pictures, shift_mm), slow, rtol=2e-5)


def test_a_picture_of_twice_the_scale_reads_the_same():
    x, y = np.meshgrid(np.arange(640), np.arange(480))
    large = (100 + 60 * np.sin(x / 90) * np.cos(y / 70)).astype(np.uint8)[None]
    grid = windows_of(load_headset("grid15"))
    shift_mm = np.array([[1.0, -0.5]])
    reading = PictureSensors(grid, (640, 480), 16.0, (300, 220)).read(large, shift_mm)
    halved = PictureSensors(grid, (320, 240), 8.0, (150, 110)).read(large[:, ::2, ::2], shift_mm)
    np.testing.assert_allclose(reading, halved, rtol=0.01)  # they mirror at different pixels


def test_81_shifts_of_two_millimetres_in_steps_of_half_a_millimetre():
    assert len(np.unique(SHIFT_CYCLE_MM, axis=0)) == len(SHIFT_CYCLE_MM) == 81
    assert SHIFT_CYCLE_MM[0].tolist() == [-2, -2]
    assert SHIFT_CYCLE_MM[1].tolist() == [-1.5, -2]
    assert SHIFT_CYCLE_MM[-1].tolist() == [2, 2]


def test_lobes_of_grid15_see_what_the_papers_windows_see():
    """The headset file says so: 29 mm / √58 = 3.8 mm."""
    headset = load_headset("grid15")
    paper, lobes = windows_of(headset), windows_of(headset.model_copy(update={"name": "other"}))
    np.testing.assert_array_equal(lobes.column, paper.column)
    np.testing.assert_array_equal(lobes.row, paper.row)
    np.testing.assert_allclose(lobes.sigma_px, paper.sigma_px, rtol=0.01)
    assert CROP_PX == (320, 240)


def test_a_headset_that_looks_from_the_side_or_sees_too_much_is_refused():
    with pytest.raises(SimulationError, match=r"detector \d+ looks at the eye \d+° from the side"):
        windows_of(load_headset("ring16"))
    wide = load_headset("grid15").model_copy(update={"name": "wide"})
    lobes = wide.lobes.model_copy(update={"detector_exponent": 4.0})
    with pytest.raises(SimulationError, match="crop of the picture is 30 mm high"):
        windows_of(wide.model_copy(update={"lobes": lobes}))
