"""`psog bench recordings`: train and test on photosensor recordings that other projects made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console
    from rich.table import Table

    from psog.headset import Headset
    from psog.net.architecture import Architecture
    from psog.net.calibrated import Form
    from psog.net.integer import IntegerNet
    from psog.recording import Recording


@dataclass(frozen=True)
class Command:
    """Train a network on third-party recordings and test it on others, in float and in int8.

    "float" is the same network when nothing is rounded but its weights. Where recordings know the pupil,
    errors are also told apart for pupils narrower and wider than all in training.
    """

    train: tuple[Path, ...]
    """Recordings to train on: tab-separated files of psog_nn, or recording folders."""
    test: tuple[Path, ...] = ()
    """Recordings to test on."""
    leave_one_out: bool = False
    """Also train without one recording and test on it, for each recording to train on in turn."""
    headset: str = "grid15"
    """The headset they were made with: a name, or the path of a TOML file."""
    epochs: float = 48.0
    """Passes over the training rows and their moved copies."""
    network: str = "cnn"
    """The headset's standard network (cnn), the baseline without convolutions (mlp), one of either kind with
    at most 9,460 MACs on grid15 (small-cnn, small-mlp): so many has the low-power CNN of the ETRA 2019 paper;
    or layers, as `psog search` prints them: dense200-dense132-features32-planes2."""
    seed: int = 0
    """Of weights and batches."""
    save: Path | None = None
    """Folder for the model."""
    force: bool = False
    """Replace a model that is already in the folder."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.headset import load_headset
        from psog.net.store import FOLDER, save_model

        console = Console(stderr=True)
        headset = load_headset(self.headset)
        _architecture(self.network, headset)  # tells an unknown one before files are read
        if self.save is not None:
            FOLDER.check_free(self.save, force=self.force)
        train = _read_all(self.train, headset)
        test = _read_all(self.test, headset) if self.test or not self.leave_one_out else {}
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        result: dict[str, Any] = {}
        if test or self.save is not None:
            net, report = self._trained(train, headset, console)
            files = {name: _judged(net, headset, train, recording) for name, recording in test.items()}
            result |= {"files": files, "macs": net.macs, "parameters": net.parameters}
            if self.save is not None:
                report["data"]["files"] = list(train)
                save_model(self.save, net, {**report, "evaluation": result}, self.force)
        if self.leave_one_out:
            left_out = {}
            for name, rest in _all_but_one(train).items():
                net, _ = self._trained(rest, headset, console)
                left_out[name] = _judged(net, headset, rest, train[name])
            result |= {"left_out": left_out, "macs": net.macs, "parameters": net.parameters}
        if self.json:
            print(json.dumps(result))
        else:
            _print(Console(), result)

    def _trained(
        self, recordings: Mapping[str, Recording], headset: Headset, console: Console
    ) -> tuple[IntegerNet, dict[str, Any]]:
        """The network that learnt these recordings, and the report of its training."""
        from psog.cli.training_bar import training_bar
        from psog.net.loop import TrainingConfig
        from psog.net.training import train_plain

        readings, gaze_deg = _training_rows(list(recordings.values()), self.seed)
        config = TrainingConfig(
            steps=_steps(self.epochs, len(readings)),
            rows_per_batch=_ROWS_PER_BATCH,
            learning_rate=_LEARNING_RATE,
            architecture=_architecture(self.network, headset),
            seed=self.seed,
        )
        with training_bar(console) as show:
            return train_plain(readings, gaze_deg, headset, config, show, noise_counts=_NOISE_COUNTS)


_ROWS_PER_BATCH = 512
_LEARNING_RATE = 2e-3  # 6e-3, best for episodes, ends 0.05° worse here
_COPIES = 4  # of every row, each moved elsewhere
_NOISE_COUNTS = 0.5  # the files are free of noise; this much keeps the network smooth between their shifts


_SMALL = {"small-cnn": "conv16-dense76-dense44", "small-mlp": "dense92-dense52"}
"""9,392 and 9,336 MACs on grid15."""


def _architecture(network: str, headset: Headset) -> Architecture:
    """The network of that name, or of those layers.

    Raises:
        ModelError: there is no such network, or the headset's grid is too small for it.
    """
    from psog.net.architecture_text import network_for

    return network_for(network, headset, _SMALL)


def _steps(epochs: float, rows: int) -> int:
    """Batches that make so many passes.

    Raises:
        PsogError: no pass at all.
    """
    from psog.errors import PsogError

    if not epochs > 0:
        raise PsogError(f"--epochs is {epochs:g}; expected more than 0")
    return max(1, round(epochs * rows / _ROWS_PER_BATCH))


def _read_all(paths: Sequence[Path], headset: Headset) -> dict[str, Recording]:
    """Recordings by the stem of their file.

    Raises:
        RecordingError: unreadable, of another headset, without gaze, or two of the same name.
    """
    import numpy as np

    from psog.errors import RecordingError
    from psog.recording import read_recording
    from psog.third_party import read_psog_nn

    if not paths:
        raise RecordingError("no recording given; --train and --test each need at least one file")
    recordings: dict[str, Recording] = {}
    for path in paths:
        recording = read_recording(path) if path.is_dir() else read_psog_nn(path)
        recording.check_headset(headset)
        if path.stem in recordings:
            raise RecordingError(f"two recordings are named {path.stem!r}; rename one, results go by name")
        if not np.isfinite(recording.gaze_deg).all():
            raise RecordingError(f"{path} has rows without gaze; remove them")
        recordings[path.stem] = recording
    return recordings


def _all_but_one(recordings: Mapping[str, Recording]) -> dict[str, dict[str, Recording]]:
    """For each recording, by its name, the others.

    Raises:
        RecordingError: there are no others.
    """
    from psog.errors import RecordingError

    if len(recordings) < 2:
        raise RecordingError("cannot leave out the only recording; give --train two or more")
    return {
        left_out: {name: one for name, one in recordings.items() if name != left_out}
        for left_out in recordings
    }


def _training_rows(recordings: list[Recording], seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Readings and gaze of all rows, and of moved copies of them where the recordings allow it."""
    import numpy as np

    from psog.net.nearby import can_be_moved, move_rows

    readings = [recording.readings for recording in recordings]
    gaze_deg = [recording.gaze_deg for recording in recordings]
    if can_be_moved(recordings):
        moved_readings, moved_gaze_deg = move_rows(recordings, _COPIES, seed)
        readings.append(moved_readings)
        gaze_deg.append(moved_gaze_deg)
    return np.concatenate(readings), np.concatenate(gaze_deg)


def _errors(
    net: IntegerNet, headset: Headset, recording: Recording, rows: NDArray[np.bool_] | slice = slice(None)
) -> dict[str, dict[str, float]]:
    """{"float": {"mean_deg", "p95_deg"}, "int8": …} of one recording, or of these rows of it."""
    from psog.metrics import accuracy
    from psog.net.calibrated import float_features, int8_features, uncalibrated

    wire, gaze_deg = headset.to_wire(recording.readings[rows]), recording.gaze_deg[rows]

    def error(form: Form) -> dict[str, float]:
        found = accuracy(uncalibrated(net, form)(wire), gaze_deg)
        return {"mean_deg": round(found.mean_deg, 4), "p95_deg": round(found.p95_deg, 4)}

    return {"float": error(float_features), "int8": error(int8_features)}


def _judged(
    net: IntegerNet, headset: Headset, train: Mapping[str, Recording], recording: Recording
) -> dict[str, Any]:
    """Errors on one recording, and where the pupils of both sides are known on "narrower" and "wider" ones.

    These are the rows whose pupil is beyond all in training, as their "share" with the errors on them.
    """
    found: dict[str, Any] = _errors(net, headset, recording)
    if all(_PUPIL in one.columns for one in (recording, *train.values())):
        pupil_mm = recording.columns[_PUPIL]
        narrowest = min(one.columns[_PUPIL].min() for one in train.values())
        widest = max(one.columns[_PUPIL].max() for one in train.values())
        for name, beyond in {"narrower": pupil_mm < narrowest, "wider": pupil_mm > widest}.items():
            if beyond.any():
                share = round(float(beyond.mean()), 4)
                found[name] = {"share": share, **_errors(net, headset, recording, beyond)}
    return found


_PUPIL = "pupil_mm"


def _print(console: Console, result: dict[str, Any]) -> None:
    for key, title in {"files": "gaze error", "left_out": "gaze error on what was left out"}.items():
        if key in result:
            cost = f"{result['macs']:,} MACs, {result['parameters']:,} parameters"
            console.print(_table(f"{title}, degrees ({cost})", result[key]))


def _table(title: str, files: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title=title)
    for name in ("recording", "float mean", "float p95", "int8 mean", "int8 p95"):
        table.add_column(name, justify="left" if name == "recording" else "right")
    for name, errors in files.items():
        rows = {name: errors}
        for side in ("narrower", "wider"):
            if side in errors:
                rows[f"  {side} pupils, {errors[side]['share']:.0%}"] = errors[side]
        for what, forms in rows.items():
            values = [forms[form][key] for form in ("float", "int8") for key in ("mean_deg", "p95_deg")]
            table.add_row(what, *(f"{value:.3f}" for value in values))
    return table
