"""Scenarios of `psog bench domains` whose target nobody here made: rendered signals, videos of real eyes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.domains_ways import LONGER, ORACLE, OWN, SOURCE, Trainer
from psog.benchmarks.video import split_by_time
from psog.headset import Headset
from psog.metrics import angular_error
from psog.net.calibrated import Calibrated, calibrated, int8_features, uncalibrated
from psog.net.integer import IntegerNet
from psog.net.sources import Source
from psog.net.store import Model
from psog.recording import Recording
from psog.sim.streams import stream
from psog.third_party import read_psog_nn

RENDERED = (
    "psog_nn",
    ("eyelink_1", "eyelink_3"),
    ("exp1_TX_Combo_1", "exp1_TX_Combo_2", "eyelink_11", "eyelink_12"),
)
"""Folder, files without labels, and files to test on; all of one eye model, so a "user" is a file."""
CALIBRATION = "calib_062217"
VIDEOS = ("eye_video", ("pupilcore_1", "pupilcore_2", "pupilcore_3"))
"""Each is tested on in turn, with the others as the target without labels."""
PUPIL_MM = 10.39
"""From the rotation centre to the pupil's plane (a weak value)."""
MEASURES = ("not calibrated", "9 points")
FEW = 200
"""Labelled readings."""
_TESTED = 2000  # rows of a file, evenly chosen: the cost of a figure, not its meaning
_CALIBRATION_READINGS = 20
_CALIBRATED_MM = 0.3  # pictures within so much of one of the nine places calibrate; a weak value
_FEW_SEED = 7

Errors = dict[str, list[float]]
Judge = Callable[[Calibrated, NDArray[np.uint16]], NDArray[np.float64]]


@dataclass(frozen=True)
class Tested:
    """A recording to test on.

    Attributes:
        wire: (n, sensors); truth: (n, 2) as the scenario's error is told.
        support, support_deg: nine points: (m, sensors) and (m, 2).
        own: the user's readings without labels.
    """

    wire: NDArray[np.uint16]
    truth: NDArray[np.float64]
    support: NDArray[np.uint16]
    support_deg: NDArray[np.float64]
    own: Recording


@dataclass(frozen=True)
class Domain:
    """A target: recordings without labels, those to test on, and labelled readings (n, sensors), (n, 2)."""

    unlabelled: list[Recording]
    tested: list[Tested]
    few: tuple[NDArray[np.float32], NDArray[np.float32]]
    all: tuple[NDArray[np.float32], NDArray[np.float32]]
    error: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def ladder(domain: Domain, trainer: Trainer, parent: Model) -> Iterator[tuple[str, Errors]]:
    """Every way on one domain; the headset moves with every reading and eyes are open: all readings count."""
    everybody = len(domain.tested)
    people = [Source(Path(f"target{k}"), one) for k, one in enumerate(domain.unlabelled)]
    yield SOURCE, _errors(domain, [parent.net] * everybody)
    yield LONGER, _errors(domain, [trainer.longer(parent)] * everybody)
    for way, method in OWN.items():
        own = trainer.own_minute(parent, [one.own for one in domain.tested], method, at_rest=False)
        yield way, _errors(domain, own)
    standard = parent
    for way, net in trainer.without_labels(parent, people, at_rest=False):
        if way == "standardise":
            standard = replace(parent, net=net)
        yield way, _errors(domain, [net] * everybody)
    for way, begun, labels, seen in (
        (f"{FEW} labels", parent, domain.few, None),
        (f"standardise, then {FEW} labels", standard, domain.few, standard.net.normalisation),
        (ORACLE, parent, domain.all, None),
    ):
        yield way, _errors(domain, [trainer.on_rows(begun, *labels, seen)] * everybody)


def rendered(data: Path, headset: Headset) -> Domain:
    """Signals of psog_nn; errors are degrees of gaze."""
    folder, without, tested = RENDERED
    read = {
        name: read_psog_nn(data / folder / f"{name}_grid15.csv") for name in (*without, *tested, CALIBRATION)
    }
    calibration = read[CALIBRATION]
    gaze = calibration.gaze_deg
    still = np.hypot(calibration.columns["shift_x_mm"], calibration.columns["shift_y_mm"]) == 0
    nine = still & np.isin(np.abs(gaze), (0, 16, 20)).all(axis=1)
    support = headset.to_wire(calibration.readings[nine]), gaze[nine].astype(np.float64)

    def test(recording: Recording) -> Tested:
        rows = np.linspace(0, len(recording) - 1, min(_TESTED, len(recording))).round().astype(int)
        truth = recording.gaze_deg[rows].astype(np.float64)
        return Tested(headset.to_wire(recording.readings[rows]), truth, *support, recording)

    labelled = [read[name] for name in (CALIBRATION, *without)]
    few = stream(_FEW_SEED, "few labels").choice(len(calibration), FEW, replace=False)
    return Domain(
        unlabelled=[read[name] for name in without],
        tested=[test(read[name]) for name in tested],
        few=(calibration.readings[few], gaze[few]),
        all=(np.concatenate([r.readings for r in labelled]), np.concatenate([r.gaze_deg for r in labelled])),
        error=angular_error,
    )


def videos(data: Path, headset: Headset) -> dict[str, Recording]:
    """What the sensors read of the videos while a pupil is seen.

    Raises:
        MissingExtraError: PyAV is not installed.
    """
    from psog.sim.video_recording import VideoSource, record_video

    folder, names = VIDEOS
    found = {}
    for name in names:
        place = data / folder / name
        labels = place.with_suffix(".csv")
        source = VideoSource(place.with_suffix(".avi"), labels=labels, labels_turned=True)
        found[name] = _rows(record := record_video(source, headset), record.columns["valid"])
    return found


def video(read: dict[str, Recording], tested: str, headset: Headset) -> Domain:
    """One video against the others; errors are millimetres of the pupil's centre in the picture's plane.

    A gaze stands for a pupil PUPIL_MM · sin(gaze) from straight ahead, which is taken to be where the pupil
    was in the median picture.
    """
    others = [one for name, one in read.items() if name != tested]
    readings = np.concatenate([one.readings for one in others])
    gaze = np.concatenate([_as_gaze(one) for one in others]).astype(np.float32)
    few = stream(_FEW_SEED, "few labels").choice(len(readings), FEW, replace=False)
    return Domain(
        unlabelled=others,
        tested=[_tested_video(read[tested], headset)],
        few=(readings[few], gaze[few]),
        all=(readings, gaze),
        error=lambda gaze_deg, pupil_mm: np.linalg.norm(_as_pupil(gaze_deg) - pupil_mm, axis=1),
    )


def _tested_video(recording: Recording, headset: Headset) -> Tested:
    """Its stretches of time for testing, with nine places calibrated in the others."""
    before, rows = split_by_time(recording.t_us)
    pupil_mm = _pupil_mm(recording)
    low, middle, high = np.quantile(pupil_mm[before], (0.1, 0.5, 0.9), axis=0)
    support: list[int] = []
    for x in (low[0], middle[0], high[0]):
        for y in (low[1], middle[1], high[1]):
            far = np.where(before, np.linalg.norm(pupil_mm - (x, y), axis=1), np.inf)
            nearest = np.argsort(far)[:_CALIBRATION_READINGS]
            support += nearest[far[nearest] <= max(_CALIBRATED_MM, far[nearest[0]])].tolist()
    return Tested(
        headset.to_wire(recording.readings[rows]),
        pupil_mm[rows],
        headset.to_wire(recording.readings[support]),
        _as_gaze(recording)[support],
        _rows(recording, before),
    )


def _errors(domain: Domain, nets: list[IntegerNet]) -> Errors:
    found: Errors = {measure: [] for measure in MEASURES}
    for net, tested in zip(nets, domain.tested, strict=True):
        ways = (
            uncalibrated(net, int8_features),
            calibrated(net, int8_features, tested.support, tested.support_deg),
        )
        for measure, way in zip(MEASURES, ways, strict=True):
            found[measure].append(round(float(domain.error(way(tested.wire), tested.truth).mean()), 4))
    return found


def _pupil_mm(recording: Recording) -> NDArray[np.float64]:
    return np.stack([recording.columns[f"pupil_{axis}_mm"] for axis in "xy"], axis=1).astype(np.float64)


def _as_gaze(recording: Recording) -> NDArray[np.float64]:
    return np.rad2deg(np.arcsin(np.clip(_pupil_mm(recording) / PUPIL_MM, -1, 1)))


def _as_pupil(gaze_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(PUPIL_MM * np.sin(np.deg2rad(gaze_deg)))


def _rows(recording: Recording, rows: NDArray[np.bool_]) -> Recording:
    columns = {name: values[rows] for name, values in recording.columns.items()}
    return replace(recording, t_us=recording.t_us[rows], readings=recording.readings[rows], columns=columns)
