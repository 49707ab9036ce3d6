"""`psog evaluate`: error of a model on recordings, or on unseen users, with the quality of its gaze."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

if TYPE_CHECKING:
    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.net.recorded import RecordedGaze

_UNSEEN = "unseen users"


@dataclass(frozen=True)
class Command:
    """Gaze error of a model: on recordings, or on simulated users it has never seen.

    On recordings, with the population's head unless --calibration-s is given. On unseen users, uncalibrated,
    calibrated, and after slips.
    """

    model: Positional[Path]
    """Folder that psog train wrote."""
    recordings: Positional[tuple[Path, ...]] = ()
    """Recording folders, or tab-separated files of psog_nn; simulated users if none is given."""
    calibration_s: float = 0.0
    """Fit each wearer's head to the fixations in so many seconds at the beginning of a recording."""
    users: int = 80
    """Simulated users to test on."""
    seed: int = 0
    """Of these users and their noise; they never coincide with those of training."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    html: Path | None = None
    """A page to write, .html, with the error drawn over gaze, shift and users."""
    force: bool = False
    """Replace a page that is there."""
    json: bool = False
    """Print the errors as JSON."""

    def run(self) -> None:
        import json

        from rich.console import Console

        from psog.cli.evaluation_text import print_quality
        from psog.cli.unseen import print_errors
        from psog.headset import load_headset
        from psog.net.store import load_model

        self._check()
        net = load_model(self.model).net
        headset = load_headset(self.headset or net.headset)
        progress = Console(stderr=True)
        with progress.status("evaluating"):
            found = self._on_recordings(net, headset) if self.recordings else self._on_users(net, headset)
        document = {"model": str(self.model), "headset": net.headset, **found}
        document |= {"macs": net.macs, "parameters": net.parameters}
        if self.html is not None:
            self._write_page(self.html, document)
        if self.json:
            print(json.dumps(document, allow_nan=False))
        else:
            if not self.recordings:
                print_errors(Console(), document)
            print_quality(Console(), document)
        if self.html is not None:
            progress.print(f"page in {self.html}", soft_wrap=True)

    def _check(self) -> None:
        """Raise PsogError for what cannot be done, before anything long is."""
        from psog.errors import PsogError

        if not 0 <= self.calibration_s < float("inf"):
            raise PsogError(f"--calibration-s is {self.calibration_s:g}; expected 0 or more")
        if self.calibration_s > 0 and not self.recordings:
            raise PsogError("--calibration-s is about recordings; simulated users look at nine points anyway")
        if self.html is not None:
            from psog.cli.evaluation_figures import check_can_draw
            from psog.files import check_new_file

            check_new_file(self.html, ".html", PsogError, force=self.force)
            check_can_draw()

    def _on_users(self, net: IntegerNet, headset: Headset) -> dict[str, Any]:
        from psog.cli.unseen import quality_on_unseen_users

        errors, report = quality_on_unseen_users(net, headset, self.users, self.seed)
        conditions = "simulated, after nine calibration points; over shift: the slip since the calibration"
        return {**errors, "conditions": conditions, "files": {_UNSEEN: report}, "all": report}

    def _on_recordings(self, net: IntegerNet, headset: Headset) -> dict[str, Any]:
        from psog.net.recorded import joined_gaze

        gaze = {}
        for path in self.recordings:
            name = _name(path)
            if name in gaze:
                raise _error(path, "two recordings have this name, and results go by name; rename one")
            gaze[name] = self._gaze(path, net, headset)
        fitted = f"calibrated in the first {self.calibration_s:g} s of a wear" if self.calibration_s else ""
        files = {name: part.report() for name, part in gaze.items()}
        return {
            "conditions": fitted or "by the head of the model, without a calibration",
            "files": files,
            "all": joined_gaze(gaze).report() if len(files) > 1 else files[name],
        }

    def _gaze(self, path: Path, net: IntegerNet, headset: Headset) -> RecordedGaze:
        from psog.device.messages import OPENNESS_BORDER
        from psog.errors import RecordingError
        from psog.net.recorded import recorded_gaze
        from psog.virtual.source import load_recording

        recording = load_recording(path)
        try:
            return recorded_gaze(
                net,
                headset,
                recording,
                openness_border=OPENNESS_BORDER,
                calibration_s=self.calibration_s,
            )
        except RecordingError as error:
            raise _error(path, str(error)) from error

    @staticmethod
    def _write_page(path: Path, document: dict[str, Any]) -> None:
        from psog.cli.evaluation_page import evaluation_page
        from psog.errors import PsogError
        from psog.files import writing_file

        page = evaluation_page(document)
        with writing_file(path, PsogError) as partial:
            partial.write_text(page, "utf-8")


def _name(path: Path) -> str:
    """What results of a recording go by: the stem of its file or folder, also of "."."""
    return path.resolve().stem


def _error(path: Path, found: str) -> Exception:
    from psog.errors import RecordingError

    return RecordingError(f"cannot evaluate on {path}: {found}")
