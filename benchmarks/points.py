"""`psog bench points`: gaze error after calibrations of 1, 5, 9 and 13 points, on the device's own code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from psog.benchmarks.tables import Table

if TYPE_CHECKING:
    from psog.firmware_export.host_tuning import HostHeadset
    from psog.headset import Headset

POINTS = (1, 5, 9, 13)


@dataclass(frozen=True)
class Command:
    """Attentive simulated wearers who blink calibrate a headset that knows nobody; then they look anywhere.

    The wearers of a row are drawn with its targets, so rows compare roughly; who had too few readings at rest
    is left out.
    """

    model: Annotated[Path, tyro.conf.Positional] = Path("ring16")
    """Folder of `psog train`, or the name of a model that comes with psog."""
    wearers: int = 24
    """Of each row."""
    seed: int = 0
    """Of wearers, fits and noise."""
    short: bool = False
    """Four wearers."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.errors import PsogError

        wearers = 4 if self.short else self.wearers
        if wearers < 2:
            raise PsogError(f"--wearers is {wearers}; expected at least 2, for a scatter between them")
        document = measure(self.model, wearers, self.seed, Console(stderr=True))
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())


def measure(model: Path, wearers: int, seed: int, console: Any) -> dict[str, Any]:
    """Per number of points the errors in degrees of those who calibrated."""
    from psog.benchmarks.tuning_looks import STEP_US
    from psog.firmware_export.host_tuning import HostHeadset
    from psog.firmware_export.image_writer import write_image
    from psog.headset import load_headset
    from psog.net.shipped import model_place
    from psog.net.store import load_model

    net = load_model(model_place(model)).net
    headset = load_headset(net.headset)
    device = HostHeadset(write_image(net, headset), STEP_US)
    found = {}
    for points in POINTS:
        with console.status(f"{points} points"):
            found[str(points)] = _calibrated(device, headset, points, wearers, seed)
    return {"model": model.name, "wearers": wearers, "seed": seed, "points": found}


def _calibrated(
    device: HostHeadset, headset: Headset, points: int, wearers: int, seed: int
) -> dict[str, float | int]:
    import numpy as np

    from psog.benchmarks.tuning import error_deg
    from psog.benchmarks.tuning_looks import WANTED
    from psog.benchmarks.tuning_wearers import sequences

    before, after, left_out = [], [], []
    for one in sequences(headset, points, wearers, seed, kinds=("attentive",), in_use=("none",)):
        tuned = device.tune(one.wire["calibration"], one.stages["calibration"].said_deg, WANTED, None)
        if tuned.user is not None:
            before.append(error_deg(device, one, None))
            after.append(error_deg(device, one, tuned.user))
            left_out.append(tuned.errors["left_out_deg"])
    return {
        "calibrated": len(after),
        "before_deg": float(np.mean(before)),
        "mean_deg": float(np.mean(after)),
        "standard_error_deg": float(np.std(after, ddof=1) / np.sqrt(len(after))),
        "median_deg": float(np.median(after)),
        "p95_deg": float(np.percentile(after, 95)),
        "left_out_deg": float(np.mean(left_out)),
        "worse": int(np.sum(np.array(after) > np.array(before))),
    }


def tables(document: dict[str, Any]) -> Sequence[Table]:
    """The one table, a row for each number of points."""
    rows = [
        (
            points,
            f"{one['before_deg']:.2f}°",
            f"{one['mean_deg']:.2f}° ± {one['standard_error_deg']:.2f}°",
            f"{one['median_deg']:.2f}°",
            f"{one['p95_deg']:.2f}°",
            f"{one['left_out_deg']:.2f}°",
            f"{one['worse']} of {one['calibrated']}",
        )
        for points, one in document["points"].items()
    ]
    headings = (
        *("points", "not calibrated", "calibrated, mean ± SE", "median", "95th percentile"),
        *("the device's left-out error", "worse than before"),
    )
    title = f"{document['model']}, {document['wearers']} attentive wearers a row, seed {document['seed']}"
    return [Table(title, headings, rows)]
