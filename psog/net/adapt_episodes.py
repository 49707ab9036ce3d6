"""Episodes from recordings of people who wore the real headset: calibrate in one pose, look in the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.data_quality import STILL_MM, fixations, stretches
from psog.episodes import Episodes
from psog.errors import RecordingError
from psog.headset import Headset
from psog.net.architecture import OPENNESS
from psog.net.calibrated import int8_features, uncalibrated
from psog.net.integer import IntegerNet
from psog.net.objectives import OPEN_ENOUGH
from psog.net.recorded import checked_gaze, in_blocks
from psog.net.sources import Source
from psog.recording import SHIFT, Recording

FEWEST_SAMPLES = 16
"""Of fixations in a pose: as few as an episode of the simulator may have."""
MOST_POSES = 8
"""Of one person, evenly chosen: each becomes the calibration once, so memory grows with their square."""
SAMPLES = 256
"""Taken of a pose, evenly: several of each fixation; at 1 kHz neighbours tell nothing new."""


@dataclass(frozen=True)
class Pose:
    """What one person's headset read while it sat still, in fixations and blinks.

    Attributes:
        readings: (n, sensors) counts.
        gaze_deg: (n, 2), 0 where the eye is closed.
        openness: (n,).
    """

    readings: NDArray[np.float32]
    gaze_deg: NDArray[np.float32]
    openness: NDArray[np.float32]


Wearer = Sequence[Pose]
"""One person, in one pose or more."""


class UsableRows:
    """The rows of a recording that can be learnt from: fixations with gaze, and closed eyes.

    How open an eye is stands in the recording. Where it does not, an eye with gaze is open, and one without
    is what the network that is to be trained further takes it for.

    Attributes:
        fixating: (n,) whether an open eye fixates and its gaze is known.
    Raises:
        ModelError: the model is of another headset.
        RecordingError: the recording is; or it has no gaze, a reading that is not a number, or a saturated
            sensor.
    """

    def __init__(self, net: IntegerNet, headset: Headset, recording: Recording) -> None:
        true_deg = checked_gaze(net, headset, recording)
        seen = np.asarray(np.isfinite(true_deg).all(axis=1))
        self._recording = recording
        self._gaze_deg = np.where(seen[:, None], true_deg, 0).astype(np.float32)
        self._openness = _openness(net, headset, recording, seen)
        self._pose = pose_numbers(recording)
        is_open = self._openness >= OPEN_ENOUGH
        self.fixating: NDArray[np.bool_] = seen & is_open & fixations(recording, true_deg)[0]
        self._usable = self.fixating | ~is_open

    def poses(self, chosen: NDArray[np.bool_]) -> Iterator[Pose]:
        """Poses of the chosen rows (n,), as far as they hold enough fixations."""
        for number in np.unique(self._pose[chosen]):
            rows = chosen & self._usable & (self._pose == number)
            if np.count_nonzero(rows & self.fixating) >= FEWEST_SAMPLES:
                yield Pose(self._recording.readings[rows], self._gaze_deg[rows], self._openness[rows])


def wearers_of(net: IntegerNet, headset: Headset, sources: Iterable[Source]) -> list[Wearer]:
    """Everybody who fixated often enough; users of different recordings are different people.

    Raises:
        ModelError, RecordingError: as UsableRows, naming the recording.
    """
    found: list[Wearer] = []
    for source in sources:
        try:
            rows = UsableRows(net, headset, source.recording)
        except RecordingError as error:
            raise RecordingError(f"cannot adapt to {source.path}: {error}") from error
        user = source.recording.columns.get("user", np.zeros(len(source.recording), np.int64))
        people = (list(rows.poses(user == number)) for number in np.unique(user))
        found += [poses for poses in people if poses]
    return found


def most_poses(people: Iterable[Wearer]) -> int:
    """Of the one of them, at least one, who has most; those that are taken."""
    return min(max(map(len, people)), MOST_POSES)


def episodes_of(people: Iterable[Wearer], headset: Headset, seed: int, poses: int | None = None) -> Episodes:
    """Episodes in which every pose of a person is the calibration once, followed by the others.

    Whoever has fewer poses than others has them repeated. Readings keep the noise they were recorded with.

    Args:
        people: at least one.
        seed: of the run that these are for.
        poses: in each episode, where it is to have as many as those of other people; `most_poses` of these
            at least.
    """
    people = list(people)
    count = most_poses(people) if poses is None else poses
    chosen = [[own[k] for k in _evenly(len(own), min(len(own), MOST_POSES))] for own in people]
    rolled = [[own[(first + k) % len(own)] for k in range(count)] for own in chosen for first in range(count)]
    samples = [[_samples(pose) for pose in episode] for episode in rolled]
    return Episodes(
        headset=headset.name,
        readings=np.array([[pose.readings for pose in episode] for episode in samples]),
        gaze_deg=np.array([[pose.gaze_deg for pose in episode] for episode in samples]),
        openness=np.array([[pose.openness for pose in episode] for episode in samples]),
        noise_counts=np.zeros(headset.sensor_count, np.float32),
        seed=seed,
    )


def pose_numbers(recording: Recording) -> NDArray[np.int64]:
    """(n,) number of the pose: a new one after every jolt of the headset, and with each stretch of wear.

    Where a recording does not tell shifts, the headset is taken to sit still through a stretch.
    """
    stretch, _ = stretches(recording)
    begins = np.diff(stretch, prepend=-1) != 0
    axes = [recording.columns[name].astype(np.float64) for name in SHIFT[:3] if name in recording.columns]
    if axes:
        begins |= np.linalg.norm([np.diff(axis, prepend=axis[:1]) for axis in axes], axis=0) > STILL_MM
    return np.cumsum(begins) - 1


def _openness(
    net: IntegerNet, headset: Headset, recording: Recording, seen: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(n,) of the eye, as UsableRows explains."""
    known = recording.columns.get("openness", np.full(len(recording), np.nan)).astype(np.float32)
    openness = np.where(np.isfinite(known), known, np.float32(1))
    unknown = np.flatnonzero(~np.isfinite(known) & ~seen)
    if unknown.size:
        features = uncalibrated(net, int8_features).features
        real = in_blocks(features, headset.to_wire(recording.readings[unknown]))
        row = net.head.weight[OPENNESS]
        openness[unknown] = (real @ row[:-1] + row[-1]).clip(0, 1)
    return openness


def _samples(pose: Pose) -> Pose:
    rows = _evenly(len(pose.readings), SAMPLES)
    return Pose(pose.readings[rows], pose.gaze_deg[rows], pose.openness[rows])


def _evenly(length: int, count: int) -> NDArray[np.int64]:
    """`count` indices below `length` from the first to the last, some twice if there are fewer."""
    return np.linspace(0, length - 1, count).round().astype(np.int64)
