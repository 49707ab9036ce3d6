"""`psog bench events`: saccades, fixations and blinks found in live gaze, against what the wearers did."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from psog.errors import SimulationError


@dataclass(frozen=True)
class Command:
    """How well events are found in the gaze of simulated wearers who look around, calibrated at nine points.

    By readings (F1 of the labels) and by events (F1; a found event counts when it overlaps a true one).
    """

    model: Positional[Path] = Path("ring16")
    """Folder of `psog train`, or the name of a shipped model."""
    wearers: int = 8
    """Users the model has never seen."""
    seconds: float = 40.0
    """For how long each of them looks around, at most 60."""
    seed: int = 1000
    """Of the first wearer; the next have the next ones."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.benchmarks.event_scores import score
        from psog.benchmarks.event_wearers import jitter_deg, watch
        from psog.headset import load_headset
        from psog.live.events import EventDetector
        from psog.net.shipped import model_place
        from psog.net.store import load_model

        if self.wearers < 1 or not 5 <= self.seconds <= 60:
            asked = f"{self.wearers} wearers for {self.seconds:g} s"
            raise SimulationError(f"cannot watch {asked}; expected at least 1, for 5 to 60 s")
        net = load_model(model_place(self.model)).net
        headset = load_headset(net.headset)
        scores, jitters_deg = [], []
        with Console(stderr=True).status(f"{self.wearers} wearers"):
            for seed in range(self.seed, self.seed + self.wearers):
                watched = watch(net, headset, seed, self.seconds)
                detector = EventDetector(headset.rate_hz)
                scores.append(score([*detector.add(watched.batch), *detector.end()], watched.truth))
                jitters_deg.append(jitter_deg(watched))
        found = {
            "model": str(self.model),
            "wearers": self.wearers,
            "seconds": self.seconds,
            "seed": self.seed,
            "rms_s2s_deg": [round(min(jitters_deg), 2), round(max(jitters_deg), 2)],
            "events": figures(scores),
        }
        if self.json:
            print(json.dumps(found))
        else:
            _print(found)


def figures(scores: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Over all wearers together, by kind: F1 of readings and events, recall and precision of events, and how
    much later the found ones start and end (median, ms at 1 kHz)."""
    import numpy as np

    from psog.benchmarks.event_scores import f1

    found: dict[str, dict[str, Any]] = {}
    for kind in scores[0]:
        readings, events = (
            [sum(column) for column in zip(*(score[kind][unit] for score in scores), strict=True)]
            for unit in ("readings", "events")
        )
        true, ours, both = events
        found[kind] = {
            "reading_f1": round(f1(*readings), 3),
            "event_f1": round(f1(*events), 3),
            "true": true,
            "found": ours,
            "recall": round(both / true, 3) if true else None,
            "precision": round(both / ours, 3) if ours else None,
        }
        for end in ("start_ms", "end_ms"):
            late = [value for score in scores for value in score[kind][end]]
            found[kind][end] = float(np.median(late)) if late else None
    large, hit = (sum(score["saccade"]["large"][k] for score in scores) for k in (0, 1))
    found["saccade"]["recall_large"] = round(hit / large, 3) if large else None
    return found


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    least, most = found["rms_s2s_deg"]
    table = Table(
        "", "readings F1", "events F1", "recall", "precision", "true", "start, end (ms)",
        title=f"{found['model']}: {found['wearers']} wearers, {found['seconds']:g} s each, seed "
        f"{found['seed']}; fixations jitter by {least:g} to {most:g}° RMS-S2S",
    )  # fmt: skip
    for kind, values in found["events"].items():
        numbers = (values[name] for name in ("reading_f1", "event_f1", "recall", "precision"))
        late = f"{values['start_ms']:+.0f}, {values['end_ms']:+.0f}" if values["start_ms"] is not None else ""
        cells = ("" if number is None else f"{number:.3f}" for number in numbers)
        table.add_row(f"{kind}s", *cells, str(values["true"]), late)
    console = Console()
    console.print(table)
    large = found["events"]["saccade"]["recall_large"]
    if large is not None:
        console.print(f"saccades of 1° and more: recall {large:.3f}")
