"""What photosensors read of a picture: the weighted windows of the ETRA 2019 protocol, by linear algebra.

A window's weight is exp(−(u² + v²)/2σ²), shifted and scaled so that it is 0 in the window's corners and 1 in
its middle. With m the Gaussian in the corner, the sum over a window is

    (gᵀ P g − m · 1ᵀ P 1) / (1 − m)

so it has two terms, and each is separable. Mirror padding, the crop's shift and the picture's scale are
linear in the pixels and separable as well, and all fold into one matrix for rows and one for columns.
Source: Katrychuk, Griffith, Komogortsev, ETRA 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.headset import Headset
from psog.parts import Lobe

CROP_PX = (320, 240)
"""Width and height of what the sensors see of the picture."""
PX_PER_MM = 8.0
"""Of the crop."""
CROP_MM = (CROP_PX[0] / PX_PER_MM, CROP_PX[1] / PX_PER_MM)
WINDOW_PX = 121
SIGMA_PX = WINDOW_PX / 4
PITCH_PX = 60
ROWS_BELOW_PX = 20
"""How far the middle row of windows lies below the crop's centre."""

_SHIFTS_MM = np.arange(-4, 5) * 0.5
SHIFT_CYCLE_MM: NDArray[np.float64] = np.stack(np.meshgrid(_SHIFTS_MM, _SHIFTS_MM), axis=-1).reshape(-1, 2)
"""(81, 2) the crop's shifts x, y: ±2 mm in steps of 0.5 mm, x the faster. Sample k has shift k mod 81."""

_STEEPEST_DEG = 30.0  # a weak value: cos 30° = 0.87, the footprint is still about round
_CACHED = 4096


@dataclass(frozen=True)
class Windows:
    """Where the sensors of a headset look, in pixels of the crop.

    Attributes:
        column, row: (sensors,) pixel in the middle of each window; may lie outside the crop.
        sigma_px: (sensors,) of the Gaussian; a window is 4 σ wide.
    """

    column: NDArray[np.int64]
    row: NDArray[np.int64]
    sigma_px: NDArray[np.float64]


def windows_of(headset: Headset) -> Windows:
    """The windows of a headset: those of the paper for `grid15`, else by each detector's place, aim and lobe.

    A detector with a cosⁿ lobe sees a Gaussian of σ = distance / √n where it looks.

    Raises:
        SimulationError: a detector looks too much from the side, or sees more than the crop.
    """
    if headset.name == "grid15":
        return _protocol()
    place, aim = (
        np.array([getattr(sensor, name) for sensor in headset.sensors])
        for name in ("detector_mm", "detector_aim_mm")
    )
    distance = np.linalg.norm(aim - place, axis=1)
    steep_deg = np.rad2deg(np.arccos(np.clip((place - aim)[:, 2] / distance, -1, 1)))
    sigma_mm = distance / np.sqrt(_exponent(headset.detector_lobe))
    steepest, widest = int(steep_deg.argmax()), int(sigma_mm.argmax())
    if steep_deg[steepest] > _STEEPEST_DEG:
        raise SimulationError(
            f"headset {headset.name}: detector {steepest} looks at the eye {steep_deg[steepest]:.0f}° "
            f"from the side, for a picture from the front at most {_STEEPEST_DEG:.0f}° expected; use grid15 "
            "or simulate without --video"
        )
    if 4 * sigma_mm[widest] > CROP_MM[1]:
        raise SimulationError(
            f"headset {headset.name}: detector {widest} sees {4 * sigma_mm[widest]:.0f} mm, the crop of the "
            f"picture is {CROP_MM[1]:.0f} mm high; use narrower detectors, or simulate without --video"
        )
    return Windows(
        column=_whole(CROP_PX[0] / 2 + PX_PER_MM * aim[:, 0]),
        row=_whole(CROP_PX[1] / 2 - PX_PER_MM * aim[:, 1]),
        sigma_px=PX_PER_MM * sigma_mm,
    )


def _protocol() -> Windows:
    rows, columns = np.meshgrid(np.arange(-1, 2) * PITCH_PX, np.arange(-2, 3) * PITCH_PX, indexing="ij")
    return Windows(
        column=columns.ravel() + CROP_PX[0] // 2,
        row=rows.ravel() + CROP_PX[1] // 2 + ROWS_BELOW_PX,
        sigma_px=np.full(columns.size, SIGMA_PX),
    )


def _exponent(lobe: Lobe) -> float:
    """n of the cosⁿ that falls to half where the lobe does."""
    if lobe.exponent is not None:
        return lobe.exponent
    angles = np.linspace(0, 89, 891)
    below = lobe.at(np.cos(np.deg2rad(angles))) < 0.5
    half_deg = angles[below.argmax()] if below.any() else angles[-1]
    return float(np.log(0.5) / np.log(np.cos(np.deg2rad(half_deg))))


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(values).astype(np.int64)


class PictureSensors:
    """The windows of a headset over pictures of one size.

    Args:
        size_px: width and height of the pictures.
        px_per_mm: of the pictures; pixels of the crop are interpolated linearly between theirs.
        eye_px: x, y in the picture (from its top left pixel) where the crop's centre lies without shift.
    """

    def __init__(
        self, windows: Windows, size_px: tuple[int, int], px_per_mm: float, eye_px: tuple[float, float]
    ) -> None:
        half = _half(windows.sigma_px)
        corner = np.exp(
            -((half / windows.sigma_px) ** 2)
        )  # the Gaussian there: half a window off on both axes
        self._corner, self._scale = corner, 1 / ((1 - corner) * (2 * half + 1) ** 2)
        sides = [np.stack([place, windows.sigma_px], axis=1) for place in (windows.column, windows.row)]
        (across, self._of_x), (down, self._of_y) = (
            np.unique(side, axis=0, return_inverse=True) for side in sides
        )
        self._x = _Axis(_window_sums(across, CROP_PX[0]), size_px[0], px_per_mm, eye_px[0])
        self._y = _Axis(_window_sums(down, CROP_PX[1]), size_px[1], -px_per_mm, eye_px[1])

    def read(self, pictures: NDArray[np.uint8], shift_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, sensors) mean of the weighted pixels of each window, in grey levels.

        Args:
            pictures: (n, height, width).
            shift_mm: (n, 2) of the sensors against the eye: x to the picture's right, y up.
        """
        columns = np.stack([self._x.matrix(x) for x in shift_mm[:, 0].tolist()])
        rows = np.stack([self._y.matrix(y) for y in shift_mm[:, 1].tolist()])
        sums = rows @ (pictures.astype(np.float32) @ columns.transpose(0, 2, 1))
        nx, ny = columns.shape[1] // 2, rows.shape[1] // 2
        weighted = sums[:, :ny, :nx][:, self._of_y, self._of_x].astype(np.float64)
        plain = sums[:, ny:, nx:][:, self._of_y, self._of_x].astype(np.float64)
        return np.asarray((weighted - self._corner * plain) * self._scale)


class _Axis:
    """From pixels of the picture to sums over windows, along one axis, for any shift.

    Args:
        sums: (sums, crop) over the pixels of the crop.
        length: of the picture.
        px_per_mm: of the picture; negative where positive shifts go to smaller pixels.
    """

    def __init__(self, sums: NDArray[np.float64], length: int, px_per_mm: float, eye_px: float) -> None:
        crop = sums.shape[1]
        from_eye_px = (np.arange(crop) - crop // 2) * abs(px_per_mm) / PX_PER_MM

        def matrix(shift_mm: float) -> NDArray[np.float32]:
            places = eye_px + shift_mm * px_per_mm + from_eye_px
            return (sums @ _interpolation(places, length)).astype(np.float32)

        self.matrix = lru_cache(_CACHED)(matrix)
        """(sums, length) over the pixels of the picture, at a shift in mm."""


def _half(sigma_px: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pixels of a window on either side of its middle: 60 of 121 at σ = 30.25 px."""
    return np.floor((4 * sigma_px - 1) / 2).astype(np.int64)


def _window_sums(windows: NDArray[np.float64], crop: int) -> NDArray[np.float64]:
    """(2 windows, crop) Gaussian sums of all windows, then their plain sums, mirrored at the crop's border.

    Args:
        windows: (windows, 2) middle and σ along one axis.
    """
    sums = np.zeros((2, len(windows), crop))
    for k, (middle, sigma) in enumerate(windows):
        half = int(_half(sigma))
        offset = np.arange(-half, half + 1)
        pixel = _mirrored(middle + offset, crop).astype(np.int64)
        np.add.at(sums[0, k], pixel, np.exp(-0.5 * (offset / sigma) ** 2))
        np.add.at(sums[1, k], pixel, 1.0)
    return sums.reshape(2 * len(windows), crop)


def _interpolation(places: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(places, length) linear interpolation between pixels, the picture mirrored at its border."""
    places = _mirrored(places, length)
    low = np.minimum(places.astype(np.int64), length - 1)
    share = places - low
    matrix = np.zeros((len(places), length))
    each = np.arange(len(places))
    matrix[each, low] = 1 - share
    matrix[each, np.minimum(low + 1, length - 1)] += share
    return matrix


def _mirrored(place: NDArray[np.generic], length: int) -> NDArray[np.float64]:
    """Places inside 0 … length − 1, by reflection in the outermost pixels (which are not repeated)."""
    last = length - 1
    return np.asarray(last - np.abs(np.mod(np.asarray(place, np.float64), 2 * last) - last))
