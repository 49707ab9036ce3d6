"""`psog evaluate`: error of a model on unseen users, by shift."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Command:
    """Gaze error of a model on simulated users it has never seen: uncalibrated, calibrated, after slips."""

    model: Positional[Path]
    """Folder that psog train wrote."""
    users: int = 80
    """Simulated users to test on."""
    seed: int = 0
    """Of these users and their noise; they never coincide with those of training."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    json: bool = False
    """Print the errors as JSON."""

    def run(self) -> None:
        import json

        from rich.console import Console

        from psog.cli.unseen import errors_on_unseen_users, print_errors
        from psog.headset import load_headset
        from psog.net.store import load_model

        net = load_model(self.model).net
        errors = errors_on_unseen_users(net, load_headset(self.headset or net.headset), self.users, self.seed)
        if self.json:
            document = {"model": str(self.model), "headset": net.headset, **errors}
            print(json.dumps({**document, "macs": net.macs, "parameters": net.parameters}))
        else:
            print_errors(Console(), errors)
