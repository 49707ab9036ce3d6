"""`psog personalise`: a model for one user, from a recording, to be exported or flashed as any other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional


@dataclass(frozen=True)
class Command:
    """Make a model for one user on the host, from a recording of this user looking at known targets.

    The head is fitted, as `psog-calibrate` does on the device, and a model with an embedding is told whose
    eye it sees. With --fine-tune every weight is trained on this user besides, as long as held-out fixations
    gain. The result is a model like any other.
    """

    model: Positional[Path]
    """Folder that psog train or psog adapt wrote."""
    recording: Positional[Path]
    """Recording folder, or a tab-separated file of psog_nn: one user, with gaze."""
    out: Path
    """Folder for the user's model."""
    fine_tune: bool = False
    """Train the whole network on this user: some seconds to a minute."""
    seed: int = 0
    """Of the batches of --fine-tune."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    force: bool = False
    """Replace a model that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.cli.sources import load_source
        from psog.device.messages import OPENNESS_BORDER
        from psog.headset import load_headset
        from psog.net.fine_tune import FineTuning
        from psog.net.personalise import personalise
        from psog.net.store import FOLDER, load_model, save_model

        FOLDER.check_free(self.out, force=self.force)
        model = load_model(self.model)
        headset = load_headset(self.headset or model.net.headset)
        tuning = FineTuning(self.seed) if self.fine_tune else None
        source = load_source(self.recording)
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        console = Console(stderr=True)
        with console.status("personalising"):
            net, report = personalise(model, source, headset, openness_border=OPENNESS_BORDER, tuning=tuning)
        save_model(self.out, net, report, self.force)
        if self.json:
            print(json.dumps(report))
        console.print(f"{self.out}: {_told(report)}", soft_wrap=True)


def _told(report: dict[str, Any]) -> str:
    """What was done, in a line."""
    training = report["training"]
    told = "told whose eye it sees, head fitted" if training["embedding"] else "head fitted"
    text = f"{told}, from {report['data']['samples']:,} samples"
    if "fine_tuning" not in training:
        return text
    found = training["fine_tuning"]
    held_out = f"{found['closed_form_deg']:.2f}° on held-out fixations"
    if found["kept"] == "closed form":
        return f"{text}; not fine-tuned, because that is no better than its {held_out}"
    return f"{text}; fine-tuned: {held_out} became {found['held_out_deg']:.2f}°"
