"""A recording as a BIDS dataset, or as one more subject of one: eye tracking as of BIDS 1.11 (BEP 20).

Source: Brain Imaging Data Structure 1.11, Physiological recordings, eye tracking; names and required keys as
in its schema (rules/sidecars/continuous, rules/tabular_data/physio).
"""

from __future__ import annotations

import contextlib
import itertools
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from psog.errors import RecordingError
from psog.files import writing_file
from psog.live import bids_sidecars
from psog.live.bids_run import BidsRun
from psog.manifest import Manifest, read_manifest
from psog.recording import GAZE, Recording, iterate_recording

DESCRIPTION = "dataset_description.json"
PARTICIPANTS = "participants.tsv"
_LABEL = re.compile(r"[0-9a-zA-Z]+")
_RECORDED_AS = "recording-eye1"
"""The label that BIDS recommends for the first eye; which one it is, the sidecar says."""


class Labels(NamedTuple):
    """Under which names BIDS finds it: letters and digits only. `eye`: which one the headset looks at."""

    subject: str
    task: str
    session: str | None = None
    eye: Literal["right", "left"] = "right"


def export_bids(recording: Path, out: Path, labels: Labels) -> list[Path]:
    """Write a recording into the dataset `out`, which is begun when it is not there.

    Each of the recording's sessions, between which the headset was away, becomes a run. Nothing is replaced.

    Returns:
        The files of the subject, relative to `out`.
    Raises:
        RecordingError: a label or the recording is not as BIDS wants it, the files are there already, or
            cannot be written.
    """
    manifest = read_manifest(recording)
    folder = _folder(labels)
    if out.exists() and not (out / DESCRIPTION).is_file():
        raise RecordingError(f"{out} exists and is not a BIDS dataset; choose another folder")
    if any((out / folder).glob(f"{_stem(labels)}_*")):
        raise RecordingError(
            f"{out / folder} has task {labels.task} already; choose another --task, --session or folder"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.resolve().parent) as place:
            new = Path(place, "new")
            (new / folder).mkdir(parents=True)
            _write_runs(recording, manifest, new / folder, labels)
            written = sorted(path.relative_to(new) for path in (new / folder).iterdir())
            if not out.exists():
                for name, text in bids_sidecars.dataset(labels.task).items():
                    (new / name).write_text(text, "utf-8")
                (new / PARTICIPANTS).write_text(f"participant_id\nsub-{labels.subject}\n", "utf-8")
                new.rename(out)
                return written
            (out / folder).mkdir(parents=True, exist_ok=True)
            for path in written:
                (new / path).rename(out / path)
            _add_participant(out / PARTICIPANTS, labels.subject)
    except OSError as error:
        raise RecordingError(f"cannot write {out}: {error.strerror}; choose another folder") from error
    return written


def _folder(labels: Labels) -> Path:
    for name, label in labels._asdict().items():
        if label is not None and not _LABEL.fullmatch(label):
            raise RecordingError(f"--{name} is {label!r}; BIDS wants letters and digits only")
    session = f"ses-{labels.session}" if labels.session else ""
    return Path(f"sub-{labels.subject}", session, "beh")


def _stem(labels: Labels) -> str:
    session = f"_ses-{labels.session}" if labels.session else ""
    return f"sub-{labels.subject}{session}_task-{labels.task}"


def _add_participant(path: Path, subject: str) -> None:
    """One row more, with nothing known in the other columns; unless the subject is there."""
    table = path.read_text("utf-8").splitlines() if path.exists() else ["participant_id"]
    if not any(line.split("\t")[0] == f"sub-{subject}" for line in table):
        others = len(table[0].split("\t")) - 1
        table.append("\t".join([f"sub-{subject}", *["n/a"] * others]))
        with writing_file(path, RecordingError) as partial:
            partial.write_text("\n".join(table) + "\n", "utf-8")


def _write_runs(recording: Path, manifest: Manifest, folder: Path, labels: Labels) -> None:
    with contextlib.ExitStack() as opened:
        runs: list[BidsRun] = []
        for number, part in _stretches(recording):
            if number == len(runs):
                opened.close()  # the run before is complete
                path = folder / f"{_stem(labels)}_run-{number + 1}_{_RECORDED_AS}"
                runs.append(opened.enter_context(BidsRun(path, part)))
            runs[number].add(part)
    if not runs:
        raise RecordingError(f"{recording} has no rows; there is nothing to convert")
    for run in runs:
        run.describe(manifest, labels.task, labels.eye)
    if len(runs) == 1:  # BIDS numbers runs where there are several
        for path in list(folder.iterdir()):
            path.rename(path.with_name(path.name.replace("_run-1", "", 1)))


def _stretches(recording: Path) -> Iterator[tuple[int, Recording]]:
    """Parts of the recording, each within one session, with the number of the session from 0."""
    number, before = -1, None
    for part in iterate_recording(recording):
        missing = [name for name in GAZE if name not in part.columns]
        if missing:
            raise RecordingError(f"{recording} has no gaze ({', '.join(missing)}); BIDS wants it")
        zeros = np.zeros(len(part), np.int64)
        user, session = (part.columns.get(name, zeros) for name in ("user", "session"))
        if len(set(user.tolist()) | ({before[0]} if before else set())) > 1:
            raise RecordingError(f"{recording} is of several users; BIDS wants one subject at a time")
        changes = (np.diff(session) != 0) | (np.diff(part.t_us) <= 0)
        ends = [*(np.flatnonzero(changes) + 1).tolist(), len(part)]
        for first, end in itertools.pairwise([0, *ends]):
            if first == end:
                continue
            now = int(user[first]), int(session[first]), int(part.t_us[first])
            number += before is None or before[1] != now[1] or now[2] <= before[2]
            yield number, part.take(slice(first, end))
            before = int(user[end - 1]), int(session[end - 1]), int(part.t_us[end - 1])
