"""Eye videos: their pictures in grey, streamed, and what is to be known before they are used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import MissingExtraError, RecordingError

_LARGEST_PX = 4096 * 4096
_BATCH_PX = 1 << 22
_BATCH_MOST = 256
_SAMPLES = 64


@dataclass(frozen=True)
class Survey:
    """What one look through a video has shown.

    Attributes:
        t_us: (frames,) when each was taken, as the file has it, from 0.
        size_px: width and height.
        samples: (up to 64, height, width) pictures spread evenly over the video.
        sha256: of the file.
    """

    t_us: NDArray[np.int64]
    size_px: tuple[int, int]
    samples: NDArray[np.uint8]
    sha256: str

    @property
    def fps(self) -> float:
        """Mean rate; 0 for a single picture."""
        span_us = int(self.t_us[-1] - self.t_us[0])
        return 1e6 * (len(self.t_us) - 1) / span_us if span_us else 0.0


def survey(path: Path) -> Survey:
    """Look through a video once, keeping only times and a few pictures.

    Raises:
        RecordingError: missing, not a video, no or damaged pictures, pictures too large, times that go back.
        MissingExtraError: PyAV is not installed.
    """
    times_s: list[float] = []
    kept: list[NDArray[np.uint8]] = []
    every = 1
    for index, (time_s, picture) in enumerate(_pictures(path)):
        times_s.append(time_s)
        if index % every == 0:
            kept.append(picture)
        if len(kept) == 2 * _SAMPLES:
            kept, every = kept[::2], 2 * every
    if not times_s:
        raise RecordingError(f"video {path} has no pictures; expected at least one")
    t_us = np.rint((np.array(times_s) - times_s[0]) * 1e6).astype(np.int64)
    if (np.diff(t_us) <= 0).any():
        frame = int(np.argmax(np.diff(t_us) <= 0)) + 1
        raise RecordingError(
            f"video {path}: picture {frame} is not later than the one before; convert it anew"
        )
    height, width = kept[0].shape
    samples = np.stack(kept[:: max(1, -(-len(kept) // _SAMPLES))])
    return Survey(t_us, (width, height), samples, file_sha256(path))


def picture_batches(path: Path, count: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """(up to `count`, height, width) pictures in grey, in order; by default as many as fit into 4 MB.

    Raises: as `survey`.
    """
    batch: list[NDArray[np.uint8]] = []
    for _, picture in _pictures(path):
        batch.append(picture)
        if len(batch) >= (count or min(max(_BATCH_PX // picture.size, 1), _BATCH_MOST)):
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def file_sha256(path: Path) -> str:
    """Hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pictures(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Time in s and grey levels (height, width) of each picture, in the order of the file."""
    av = _av()
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise RecordingError(f"{path} holds no video; expected a video of an eye")
            stream = container.streams.video[0]
            size = stream.width, stream.height
            if not 0 < size[0] * size[1] <= _LARGEST_PX:
                raise RecordingError(
                    f"video {path} has pictures of {size[0]}×{size[1]}; expected at most 4096×4096"
                )
            rate = float(stream.average_rate or 0)
            for index, frame in enumerate(container.decode(stream)):
                if (frame.width, frame.height) != size:
                    raise RecordingError(f"video {path} changes its size at picture {index}; convert it anew")
                if frame.time is None and not rate:
                    raise RecordingError(f"video {path} has neither times nor a rate; convert it anew")
                time_s = frame.time if frame.time is not None else index / rate
                yield time_s, frame.to_ndarray(format="gray")
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecordingError(f"cannot read video {path}: {reason}; check path and format") from error


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video", "reading a video") from error
    return av
