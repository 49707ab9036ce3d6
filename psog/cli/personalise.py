"""`psog personalise`: a model for one user, from a recording, to be exported or flashed as any other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Command:
    """Make a model for one user on the host, from a recording of this user looking at known targets.

    What `psog-calibrate` fits on the device, the head, is fitted here; and a model that was trained with
    --embedding is told whose eye it sees, which the device cannot do. The result is a model like any other.
    """

    model: Positional[Path]
    """Folder that psog train wrote."""
    recording: Positional[Path]
    """Recording folder, or a tab-separated file of psog_nn: one user, with gaze."""
    out: Path
    """Folder for the user's model."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    force: bool = False
    """Replace a model that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        import json

        from rich.console import Console

        from psog.device.messages import OPENNESS_BORDER
        from psog.errors import RecordingError
        from psog.headset import load_headset
        from psog.net.personalise import personalise
        from psog.net.store import FOLDER, load_model, origin_of, save_model
        from psog.virtual.source import load_recording

        FOLDER.check_free(self.out, force=self.force)
        model = load_model(self.model)
        headset = load_headset(self.headset or model.net.headset)
        recording = load_recording(self.recording)
        try:
            net, samples = personalise(model.net, headset, recording, openness_border=OPENNESS_BORDER)
        except RecordingError as error:
            raise RecordingError(f"cannot personalise with {self.recording}: {error}") from error
        told = model.net.embedding is not None
        report = {
            "training": {"kind": "personal", "embedding": told},
            "data": {"kind": "recording", "name": self.recording.resolve().name, "samples": samples},
            "parent": origin_of(self.model),
            "macs": net.macs,
            "parameters": net.parameters,
        }
        save_model(self.out, net, report, self.force)
        if self.json:
            print(json.dumps(report))
        how = "told whose eye it sees, head fitted" if told else "head fitted"
        Console(stderr=True).print(f"{self.out}: {how}, from {samples:,} samples", soft_wrap=True)
