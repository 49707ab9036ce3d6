"""`psog bench video`: a small network finds the pupil's centre in what sensors read of eye videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from psog.headset import Headset
    from psog.recording import Recording

_BLOCKS = 12
"""Of equal length in time; every third is for testing."""
_LONGEST_GAP_S = 1.0  # saccades are some 3 a second: a gap holds a few
_GAP_SHARE = 0.25  # of a block, for short videos
_DEG_PER_MM = 5.5
"""A pupil 10.39 mm from the rotation centre: networks are made for targets in degrees."""
_NOISE_COUNTS = 0.5
_LEARNING_RATE = 2e-3
_RIDGE = 1e-3  # of the mean variance of standardised readings
_FEWEST_ROWS = 50


@dataclass(frozen=True)
class Command:
    """Read eye videos by the ETRA 2019 protocol and train a small network per video for the pupil's centre.

    Train and test are stretches of time with gaps between them; the shift changes with every picture.
    """

    videos: tuple[Path, ...]
    """Videos of an eye. A CSV of the same name beside one has its pupil centres (x, y)."""
    labels_turned: bool = False
    """The CSVs are of the picture turned by 180°."""
    px_per_mm: float | None = None
    """Scale of the videos; if not given, the protocol's 40×30 mm just fit each picture."""
    headset: str = "grid15"
    """Whose windows and whose standard network."""
    steps: int = 3000
    """Of training, per video."""
    seed: int = 0
    """Of weights and batches."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import torch
        from rich.console import Console

        from psog.errors import RecordingError
        from psog.headset import load_headset
        from psog.sim.video_recording import VideoSource

        if len({path.stem for path in self.videos}) != len(self.videos) or not self.videos:
            raise RecordingError("give at least one video, and videos of different names; results go by name")
        headset = load_headset(self.headset)
        torch.set_num_threads(1)  # batches are small
        console, found = Console(stderr=True), {}
        for path in self.videos:
            labels = path.with_suffix(".csv")
            source = VideoSource(path, self.px_per_mm)
            if labels.exists():
                source = VideoSource(path, self.px_per_mm, labels=labels, labels_turned=self.labels_turned)
            with console.status(f"{path.name}: reading, training"):
                found[path.stem] = _measure(source, headset, self.steps, self.seed)
        if self.json:
            import json

            print(json.dumps({"seed": self.seed, "steps": self.steps, "videos": found}))
        else:
            _print(found)


def _measure(source: Any, headset: Headset, steps: int, seed: int) -> dict[str, Any]:
    """All figures of one video."""
    import time

    from psog.sim.video_recording import record_video

    start = time.perf_counter()
    recording = record_video(source, headset)
    wall_s = time.perf_counter() - start
    made = recording.provenance["video"]
    return {
        "frames": len(recording),
        "seen": round(float(recording.columns["valid"].mean()), 3),
        "px_per_mm": made["px_per_mm"],
        "labels": source.labels is not None,
        "frames_per_s": round(len(recording) / wall_s),
        "windows_per_s": round(_windows_per_s(source.path, headset, made)),
        **_errors(recording, headset, steps, seed),
    }


def _windows_per_s(path: Path, headset: Headset, made: dict[str, Any]) -> float:
    """Frames × windows per second of processor time, with pictures in memory."""
    import time

    from psog.sim.video import picture_batches
    from psog.sim.windows import SHIFT_CYCLE_MM, PictureSensors, windows_of

    sensors = PictureSensors(windows_of(headset), made["size_px"], made["px_per_mm"], made["eye_px"])
    pictures = next(picture_batches(path, len(SHIFT_CYCLE_MM)))
    shift_mm = SHIFT_CYCLE_MM[: len(pictures)]
    sensors.read(pictures, shift_mm)  # makes the matrices, once per shift
    start = time.process_time()
    sensors.read(pictures, shift_mm)
    return len(pictures) * headset.sensor_count / (time.process_time() - start)


def split_by_time(t_us: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) rows to train on and (n,) to test on: stretches of time, with gaps that belong to neither."""
    import numpy as np

    block_us = (t_us[-1] - t_us[0] + 1) / _BLOCKS
    block = ((t_us - t_us[0]) / block_us).astype(np.int64)
    test = block % 3 == 1
    gap_us = min(_LONGEST_GAP_S * 1e6, _GAP_SHARE * block_us)
    into_us = t_us - t_us[0] - block * block_us
    near_test = (block % 3 == 0) & (into_us > block_us - gap_us) | (block % 3 == 2) & (into_us < gap_us)
    return ~test & ~near_test, test


def _errors(recording: Recording, headset: Headset, steps: int, seed: int) -> dict[str, Any]:
    """Of the network, in int8 and in float, and of the two that know less."""
    import numpy as np

    from psog.errors import RecordingError
    from psog.net.calibrated import float_features, int8_features, uncalibrated
    from psog.net.loop import TrainingConfig
    from psog.net.training import train_plain

    centre_mm = np.stack([recording.columns["pupil_x_mm"], recording.columns["pupil_y_mm"]], axis=1)
    train, test = (rows & recording.columns["valid"] for rows in split_by_time(recording.t_us))
    if min(train.sum(), test.sum()) < _FEWEST_ROWS:
        raise RecordingError(
            f"video {recording.provenance['video']['name']} shows a pupil in {train.sum()} pictures to train "
            f"on and {test.sum()} to test on; at least {_FEWEST_ROWS} each expected"
        )
    config = TrainingConfig(steps=steps, learning_rate=_LEARNING_RATE, seed=seed)
    net, _ = train_plain(
        recording.readings[train], centre_mm[train] * _DEG_PER_MM, headset, config, noise_counts=_NOISE_COUNTS
    )
    wire = headset.to_wire(recording.readings[test])
    estimates = {
        name: uncalibrated(net, form)(wire) / _DEG_PER_MM
        for name, form in (("network_int8", int8_features), ("network_float", float_features))
    }
    estimates["ridge"] = _ridge(recording.readings[train], centre_mm[train], recording.readings[test])
    estimates["mean"] = np.broadcast_to(centre_mm[train].mean(axis=0), centre_mm[test].shape)
    scale = recording.provenance["video"]["px_per_mm"]
    return {
        "train": int(train.sum()),
        "test": int(test.sum()),
        "macs": net.macs,
        "error": {name: _distance(found - centre_mm[test], scale) for name, found in estimates.items()},
    }


def _ridge(
    readings: NDArray[np.float32], centre_mm: NDArray[np.float32], others: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(m, 2) centres for other readings, by a linear map of standardised readings."""
    import numpy as np

    middle, spread = readings.mean(axis=0), readings.std(axis=0) + 1e-6
    known, target = (readings - middle) / spread, centre_mm - centre_mm.mean(axis=0)
    gram = known.T @ known / len(known) + _RIDGE * np.eye(known.shape[1])
    weights = np.linalg.solve(gram, known.T @ target / len(known))
    return np.asarray((others - middle) / spread @ weights + centre_mm.mean(axis=0))


def _distance(error_mm: NDArray[np.floating], px_per_mm: float) -> dict[str, float]:
    import numpy as np

    far_mm = np.linalg.norm(error_mm, axis=1)
    found = {"mean": far_mm.mean(), "median": np.median(far_mm), "p95": np.quantile(far_mm, 0.95)}
    in_mm = {f"{name}_mm": round(float(value), 3) for name, value in found.items()}
    return in_mm | {f"{name}_px": round(float(value * px_per_mm), 2) for name, value in found.items()}


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    for video, row in found.items():
        title = (
            f"{video}: {row['frames']} pictures, pupil seen in {row['seen']:.0%}, "
            f"{row['px_per_mm']:.3g} px/mm; {row['frames_per_s']} pictures/s read, "
            f"{row['windows_per_s']:,} windows/s summed"
        )
        table = Table("by", "mean mm", "median", "p95", "mean px", "median", "p95", title=title)
        for name, error in row["error"].items():
            table.add_row(name, *(f"{value:.2f}" for value in error.values()))
        Console().print(table)
