"""Where the pupil is in a near-infrared picture of an eye: the dark, round blob of a pupil's size.

Simple, and meant for truth beside photosensor readings where a video comes without labels: one threshold for
the whole video; of the connected dark areas that do not touch the border, whose diameter a pupil can have and
that fill their box as a disc does, the largest; its holes (glints) filled; its centroid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_DIAMETER_MM = (1.5, 10.0)
"""Pupils have 2 to 8 mm; wider, because a picture's scale is seldom known well."""
_FILLED = 0.6  # of its box; a disc fills π/4 = 0.79; a weak value
_LONGEST = 2.0  # side of the box over the other: a disc seen from 60°
_LEVELS = 24
_AS_GOOD = 0.98  # of the most pictures: thresholds that differ by less are alike
_WIDEST_PX = 320  # centroids need no more
_IN_PLANE = np.array([np.zeros((3, 3)), [[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.zeros((3, 3))])


@dataclass(frozen=True)
class PupilFinder:
    """Finds the pupil in the pictures of one video.

    Attributes:
        threshold: grey level; what is darker may be the pupil.
        px_per_mm: of the pictures.
    """

    threshold: float
    px_per_mm: float

    def find(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(n, 2) x and y of the pupil's centre in pixels from the top left one; NaN where none is seen.

        Args:
            pictures: (n, height, width).
        """
        step = max(1, pictures.shape[2] // _WIDEST_PX)
        small = pictures[:, ::step, ::step]
        blobs, _ = ndimage.label(small < self.threshold, structure=_IN_PLANE)
        area_px = np.bincount(blobs.ravel())
        area_px[0] = 0
        diameter_mm = np.sqrt(area_px * 4 / np.pi) * step / self.px_per_mm
        sized = np.flatnonzero((_DIAMETER_MM[0] <= diameter_mm) & (diameter_mm <= _DIAMETER_MM[1]))
        boxes = ndimage.find_objects(blobs)
        found = np.full((len(pictures), 2), np.nan)
        for blob in sized[np.argsort(area_px[sized], kind="stable")]:  # the largest comes last, and stays
            picture, rows, columns = boxes[blob - 1]
            if _like_a_disc(int(area_px[blob]), rows, columns, small.shape[1:]):
                whole = ndimage.binary_fill_holes(blobs[picture.start, rows, columns] == blob)
                y, x = np.nonzero(whole)
                found[picture.start] = (x.mean() + columns.start) * step, (y.mean() + rows.start) * step
        return found


def fit_finder(pictures: NDArray[np.uint8], px_per_mm: float) -> PupilFinder | None:
    """The finder that sees a pupil in most of some pictures of a video; None where no threshold shows any.

    Args:
        pictures: (n, height, width) spread over the video.
    """
    darkest, middle = np.quantile(pictures, (0.001, 0.5))
    finders = [PupilFinder(level, px_per_mm) for level in np.linspace(darkest, middle, _LEVELS + 2)[1:-1]]
    seen = np.array([int(np.isfinite(finder.find(pictures)[:, 0]).sum()) for finder in finders])
    if seen.max() == 0:
        return None
    best = np.flatnonzero(seen >= _AS_GOOD * seen.max())
    return finders[int(best[len(best) // 2])]  # the middle one is the least in danger


def _like_a_disc(area_px: int, rows: slice, columns: slice, size: tuple[int, ...]) -> bool:
    height, width = rows.stop - rows.start, columns.stop - columns.start
    inside = rows.start > 0 and columns.start > 0 and rows.stop < size[0] and columns.stop < size[1]
    filled = area_px >= _FILLED * height * width
    return bool(inside and filled and max(height, width) <= _LONGEST * min(height, width))
