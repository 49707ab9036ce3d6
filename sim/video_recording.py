"""Recordings from an eye video: what the sensors of a headset would have read of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import psog
from psog.errors import RecordingError, SimulationError
from psog.headset import Headset
from psog.recording import Recording
from psog.sim.pupil_blob import PupilFinder, fit_finder
from psog.sim.video import Survey, file_sha256, picture_batches, survey
from psog.sim.video_tracks import read_labels, read_motion
from psog.sim.windows import CROP_MM, SHIFT_CYCLE_MM, PictureSensors, windows_of

_WHITE = 255


@dataclass(frozen=True)
class VideoSource:
    """A video and what is known about it.

    Attributes:
        px_per_mm: of the picture; None: so that the protocol's crop (40×30 mm) just fits it.
        eye_px: x, y where the crop's centre lies without shift; None: the median place of the pupil.
        motion: CSV with t_s, x_mm, y_mm, how the headset moves; None: the protocol's cycle of 81 shifts.
        labels: CSV with x, y, the pupil's centre in each picture; None: the dark blob of a pupil's size.
        labels_turned: the labels are of the picture turned by 180°.
    """

    path: Path
    px_per_mm: float | None = None
    eye_px: tuple[float, float] | None = None
    motion: Path | None = None
    labels: Path | None = None
    labels_turned: bool = False

    def __post_init__(self) -> None:
        if self.px_per_mm is not None and not 0.1 <= self.px_per_mm <= 1000:
            raise SimulationError(f"cannot use {self.px_per_mm} px/mm; expected 0.1 to 1000")
        if self.labels_turned and self.labels is None:
            raise SimulationError("cannot turn labels: none are given; add --labels")


def record_video(source: VideoSource, headset: Headset, batch: int | None = None) -> Recording:
    """The readings of a headset at every picture of a video, with the shift and the pupil's centre as truth.

    Axes: the picture's right is x, its top y, as a camera behind a hot mirror sees them. Without a
    pupil in a picture `valid` is false and the pupil's columns are NaN. Pixels are read in a stream; what is
    kept of a picture is its row of the recording.

    Args:
        batch: pictures worked on at once; the result does not depend on it.
    Raises:
        RecordingError: video, labels or motion cannot be read, or there is no eye in the video.
        SimulationError: a headset that no frontal picture can stand for, or an eye outside the picture.
        MissingExtraError: PyAV is not installed.
    """
    windows = windows_of(headset)
    seen = survey(source.path)
    scale = source.px_per_mm or min(seen.size_px[0] / CROP_MM[0], seen.size_px[1] / CROP_MM[1])
    shift_mm = _shifts(source, seen)
    finder = None
    pupil_px = _labels(source, seen)
    if pupil_px is None:
        finder = _finder(source, seen, scale)
    eye_px = source.eye_px or _median(finder.find(seen.samples) if finder else pupil_px)
    if not all(0 <= at <= size - 1 for at, size in zip(eye_px, seen.size_px, strict=True)):
        raise SimulationError(
            f"the eye at {eye_px[0]:g}, {eye_px[1]:g} px is not in the picture of {seen.size_px[0]}×"
            f"{seen.size_px[1]}; correct --eye-px"
        )
    sensors = PictureSensors(windows, seen.size_px, scale, eye_px)
    grey, found_px = _read(source.path, sensors, finder, shift_mm, batch)
    if finder is not None:
        pupil_px = found_px
    assert pupil_px is not None
    pupil_mm = (pupil_px - eye_px) / scale * [1, -1]
    return Recording(
        headset=headset.name,
        t_us=seen.t_us,
        readings=(grey * (headset.adc.full_scale / _WHITE)).astype(np.float32),
        columns={
            "shift_x_mm": shift_mm[:, 0].astype(np.float32),
            "shift_y_mm": shift_mm[:, 1].astype(np.float32),
            "pupil_x_mm": pupil_mm[:, 0].astype(np.float32),
            "pupil_y_mm": pupil_mm[:, 1].astype(np.float32),
            "valid": np.isfinite(pupil_mm[:, 0]),
        },
        provenance=_provenance(source, seen, scale, eye_px, finder),
    )


def _shifts(source: VideoSource, seen: Survey) -> NDArray[np.float64]:
    if source.motion is not None:
        return read_motion(source.motion, seen.t_us)
    return SHIFT_CYCLE_MM[np.arange(len(seen.t_us)) % len(SHIFT_CYCLE_MM)]


def _labels(source: VideoSource, seen: Survey) -> NDArray[np.float64] | None:
    if source.labels is None:
        return None
    return read_labels(source.labels, len(seen.t_us), seen.size_px, turned=source.labels_turned)


def _finder(source: VideoSource, seen: Survey, scale: float) -> PupilFinder:
    finder = fit_finder(seen.samples, scale)
    if finder is None:
        raise RecordingError(
            f"no eye in video {source.path}: no dark, round blob of a pupil's size at {scale:.3g} px/mm in "
            f"{len(seen.samples)} pictures; give another --px-per-mm, or --labels"
        )
    return finder


def _median(centre_px: NDArray[np.float64] | None) -> tuple[float, float]:
    assert centre_px is not None
    x, y = np.nanmedian(centre_px, axis=0)
    return round(float(x), 1), round(float(y), 1)


def _read(
    path: Path,
    sensors: PictureSensors,
    finder: PupilFinder | None,
    shift_mm: NDArray[np.float64],
    batch: int | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, sensors) grey levels, and (n, 2) where the finder sees the pupil in the picture."""
    grey, found_px, done = [], [], 0
    for pictures in picture_batches(path, batch):
        grey.append(sensors.read(pictures, shift_mm[done : done + len(pictures)]))
        done += len(pictures)
        if finder is not None:
            found_px.append(finder.find(pictures))
    return np.concatenate(grey), np.concatenate(found_px) if found_px else np.empty((0, 2))


def _provenance(
    source: VideoSource, seen: Survey, scale: float, eye_px: tuple[float, float], finder: PupilFinder | None
) -> dict[str, Any]:
    return {
        "made_by": f"psog {psog.__version__} simulator",
        "source": "eye video",
        "protocol": "ETRA 2019: Gaussian windows, mirrored crop of 40×30 mm at 8 px/mm; free of noise",
        "video": {
            "name": source.path.name,
            "sha256": seen.sha256,
            "frames": len(seen.t_us),
            "fps": round(seen.fps, 3),
            "size_px": list(seen.size_px),
            "px_per_mm": scale,
            "eye_px": list(eye_px),
        },
        "shift": _file(source.motion) or "81 shifts of the crop, ±2 mm in 0.5 mm steps, one per picture",
        "pupil": _file(source.labels)
        or {"blob": "largest dark blob of a pupil's size", "threshold": finder and finder.threshold},
    }


def _file(path: Path | None) -> dict[str, str] | None:
    return None if path is None else {"name": path.name, "sha256": file_sha256(path)}
