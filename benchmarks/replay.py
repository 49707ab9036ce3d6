"""`psog bench replay`: a recording through the firmware of a virtual headset, against the integer model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from psog.errors import LinkError, PsogError
from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.recording import Recording
    from psog.virtual.replay import Replayed


@dataclass(frozen=True)
class Command:
    """Replay a recording through a virtual headset and compare what it streams with the integer model.

    Exits with 1 when a feature differs, the head differs by more than 0.001 deg, or a row is missing.
    """

    model: tyro.conf.Positional[Path]
    """Model folder."""
    recording: tyro.conf.Positional[Path]
    """A recording folder, or a grid15 file of psog_nn."""
    board: BoardName = "mps2-an386"
    """Where the firmware runs."""
    speed: float = 1.0
    """Device seconds per second, at most."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        from psog.firmware_export.image import write_image
        from psog.headset import load_headset
        from psog.net.store import load_model
        from psog.virtual.replay import replay
        from psog.virtual.source import load_recording

        if not 0 < self.speed <= 100:
            raise PsogError(f"--speed is {self.speed:g}; expected more than 0 and at most 100")
        net = load_model(self.model).net
        headset = load_headset(net.headset)
        recording = load_recording(self.recording)
        replayed = replay(recording, headset, write_image(net, headset), self.board, self.speed)
        result = {
            "board": self.board,
            "recording": self.recording.stem,
            **_compare(net, headset, recording, replayed),
        }
        self._report(result)

    def _report(self, result: dict[str, Any]) -> None:
        if self.json:
            print(json.dumps(result))
        else:
            for name, value in result.items():
                print(f"{name:24}{value}")
        if not _agrees(result):
            raise LinkError(
                "the firmware's stream is not the integer model's: "
                f"{result['identical_rows']} of {result['rows']} rows identical, {result['lost_rows']} lost, "
                f"head off by up to {result['head_difference_deg']:g} deg"
            )


def _compare(net: IntegerNet, headset: Headset, recording: Recording, replayed: Replayed) -> dict[str, Any]:
    import numpy as np

    from psog.metrics import accuracy

    wire = headset.to_wire(recording.readings)
    features = net.features(net.input(wire))
    output = net.apply_head(features)
    rows = replayed.rows
    true_deg = recording.gaze_deg[rows]
    streamed, model = (
        accuracy(gaze_deg, true_deg) for gaze_deg in (replayed.output[:, :2], output[rows, :2])
    )
    return {
        "rows": len(recording),
        "lost_rows": len(recording) - len(rows),
        "identical_rows": int((replayed.features == features[rows]).all(axis=1).sum()),
        "head_difference_deg": float(np.abs(replayed.output - output[rows]).max()),
        "streamed_mean_deg": round(streamed.mean_deg, 4),
        "streamed_p95_deg": round(streamed.p95_deg, 4),
        "model_mean_deg": round(model.mean_deg, 4),
        "model_p95_deg": round(model.p95_deg, 4),
        "frames_lost": replayed.losses.lost,
        "frames_damaged": replayed.losses.damaged,
        "frames_dropped_by_device": replayed.status.dropped,
        "bad_readings": replayed.status.bad_readings,
    }


def _agrees(result: dict[str, Any]) -> bool:
    from psog.firmware_export.test_vector import HEAD_TOLERANCE

    return bool(
        result["identical_rows"] == result["rows"] and result["head_difference_deg"] <= HEAD_TOLERANCE
    )
