"""`psog bench tuning`: whether a calibration that is kept was ever worse than what it replaced."""

from __future__ import annotations

import json
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import tyro

if TYPE_CHECKING:
    from rich.console import Console

    from psog.benchmarks.tuning_looks import Sequence
    from psog.calibration.events import Fitted, PointJudged
    from psog.firmware_export.host_tuning import HostHeadset, Tuned, User

NOTICED_DEG = 0.25
"""A difference that counts: about what fixations scatter on a target."""
MUCH_DEG = 1.0


@dataclass(frozen=True)
class Command:
    """Calibrations of attentive wearers and of others, through the firmware's code and psog-calibrate's rule.

    A sequence is one wearer: perhaps an earlier calibration in use, a calibration, its validation, and then
    looks anywhere with open eyes, at which the gaze errors by what was in use before and after are compared.
    Wearers blink all the time, look elsewhere, sit in bright light, slip the headset; half of them go on like
    that at validation.
    """

    model: Annotated[Path, tyro.conf.Positional] = Path("ring16")
    """Folder of `psog train`, or the name of a model that comes with psog."""
    sequences: int = 1000
    """Kinds of wearers take turns."""
    points: Literal[1, 5, 9, 13] = 9
    """Calibration targets."""
    attentive: bool = False
    """Only wearers who do as they are asked."""
    seed: int = 0
    """Of wearers, fits, noise and mistakes; sequence k depends on (seed, k) alone."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.errors import PsogError

        if self.sequences < 1:
            raise PsogError(f"--sequences is {self.sequences}; expected at least 1")
        outcomes = self._outcomes(Console(stderr=True))
        found = {
            "model": str(self.model),
            "points": self.points,
            "seed": self.seed,
            **summary(outcomes),
        }
        if self.json:
            print(json.dumps(found))
        else:
            _print(Console(), found)

    def _outcomes(self, console: Console) -> list[Outcome]:
        from psog.benchmarks.tuning_looks import KINDS, STEP_US
        from psog.benchmarks.tuning_wearers import sequences
        from psog.firmware_export.host_tuning import HostHeadset
        from psog.firmware_export.image_writer import write_image
        from psog.headset import load_headset
        from psog.net.shipped import model_place
        from psog.net.store import load_model

        net = load_model(model_place(self.model)).net
        headset = load_headset(net.headset)
        device = HostHeadset(write_image(net, headset), STEP_US)
        outcomes: list[Outcome] = []
        with console.status("") as status:
            kinds = ("attentive",) if self.attentive else KINDS
            for sequence in sequences(headset, self.points, self.sequences, self.seed, kinds=kinds):
                outcomes.append(carry_out(device, sequence))
                status.update(f"{len(outcomes)} of {self.sequences} sequences")
        return outcomes


class Outcome(NamedTuple):
    """What came of one sequence.

    Attributes:
        kind, in_use, goes_on: of psog.benchmarks.tuning_looks.Sequence.
        ended: "kept"; refused by the "device" or at "validation"; or "given up": too few readings.
        before_deg, after_deg: mean gaze error of the looks afterwards by what was in use, and by the
            calibration, kept or not; after is None without one.
    """

    kind: str
    in_use: str
    goes_on: bool
    ended: Literal["kept", "device", "validation", "given up"]
    before_deg: float
    after_deg: float | None


def carry_out(device: HostHeadset, sequence: Sequence) -> Outcome:
    """A sequence from the earlier calibration to the looks afterwards."""
    from psog.benchmarks.tuning_looks import WANTED
    from psog.device.error_codes import DeviceErrorCode

    in_use: User | None = None
    if sequence.in_use != "none":
        earlier = sequence.stages["earlier"].said_deg
        in_use = device.tune(sequence.wire["earlier"], earlier, WANTED, None).user
    said_deg = sequence.stages["calibration"].said_deg
    tuned = device.tune(sequence.wire["calibration"], said_deg, WANTED, in_use)
    before_deg = error_deg(device, sequence, in_use)
    shared = sequence.kind, sequence.in_use, sequence.goes_on
    if tuned.user is None:
        return Outcome(*shared, "given up", before_deg, None)
    after_deg = error_deg(device, sequence, tuned.user)
    if tuned.verdict is not DeviceErrorCode.OK:
        return Outcome(*shared, "device", before_deg, after_deg)
    return Outcome(*shared, _validated(device, sequence, in_use, tuned), before_deg, after_deg)


def _validated(
    device: HostHeadset, sequence: Sequence, in_use: User | None, tuned: Tuned
) -> Literal["kept", "validation", "given up"]:
    """As psog-calibrate does: both heads on the same readings of an open eye at rest."""
    from psog.benchmarks.tuning_looks import WANTED
    from psog.calibration.events import PointJudged
    from psog.calibration.quality import TargetQuality
    from psog.calibration.refusal import why_not
    from psog.calibration.targets import Target
    from psog.device.messages import GazeFlag

    wire = sequence.wire["validation"]
    flat = wire.reshape(-1, wire.shape[-1])
    (before_deg, flags), (after_deg, _) = (device.gaze(flat, who) for who in (in_use, tuned.user))
    at_rest = (flags & GazeFlag.STILL) != 0
    judged: list[PointJudged] = []
    for index, said_deg in enumerate(sequence.stages["validation"].said_deg):
        rows = slice(index * wire.shape[1], (index + 1) * wire.shape[1])
        usable = at_rest[rows].nonzero()[0][:WANTED] + rows.start
        if len(usable) < WANTED:
            return "given up"
        target = Target("validation", *map(float, said_deg))
        qualities = (TargetQuality(target, gaze[usable], 0) for gaze in (before_deg, after_deg))
        judged.append(PointJudged(*qualities))
    return "validation" if why_not(_fitted(tuned), judged, calibrated=in_use is not None) else "kept"


def _fitted(tuned: Tuned) -> Fitted:
    from psog.calibration.events import Fitted

    return Fitted(samples=0, targets=0, verdict=int(tuned.verdict), **tuned.errors)


def error_deg(device: HostHeadset, sequence: Sequence, user: User | None) -> float:
    """Mean gaze error of the looks afterwards with somebody's calibration, or with none."""
    import numpy as np

    wire, looks = sequence.wire["later"], sequence.stages["later"]
    gaze_deg, _ = device.gaze(wire.reshape(-1, wire.shape[-1]), user)
    return float(np.linalg.norm(gaze_deg - looks.gaze_deg.reshape(-1, 2), axis=1).mean())


def summary(outcomes: Many[Outcome]) -> dict[str, Any]:
    """Counts and errors of all sequences, by kind of wearer, and of attentive wearers by what was in use."""
    from psog.benchmarks.tuning_looks import IN_USE, KINDS

    attentive = [one for one in outcomes if one.kind == "attentive"]
    return {
        "all": _counted(outcomes),
        "kinds": {
            kind: _counted(own) for kind in KINDS if (own := [one for one in outcomes if one.kind == kind])
        },
        "attentive": {
            in_use: _counted([one for one in attentive if one.in_use == in_use]) for in_use in IN_USE
        },
    }


def _counted(outcomes: Many[Outcome]) -> dict[str, Any]:
    """How sequences ended; of kept ones how many are worse than before, of refused ones how many were not."""
    import numpy as np

    tried = [one for one in outcomes if one.after_deg is not None]
    gain = np.array([one.before_deg - float(one.after_deg or 0) for one in tried])
    kept = np.array([one.ended == "kept" for one in tried], np.bool_)
    ended = [one.ended for one in outcomes]
    lost = -gain[kept]
    return {
        "sequences": len(outcomes),
        "given_up": ended.count("given up"),
        "refused_by_device": ended.count("device"),
        "refused_at_validation": ended.count("validation"),
        "kept": int(kept.sum()),
        "kept_worse": int((lost > 0).sum()),
        "kept_noticeably_worse": int((lost > NOTICED_DEG).sum()),
        "kept_much_worse": int((lost > MUCH_DEG).sum()),
        "kept_worst_loss_deg": round(float(lost.max(initial=0.0)), 3),
        "kept_mean_gain_deg": round(float(-lost.mean()), 3) if len(lost) else None,
        "would_have_been_worse": int((gain < 0).sum()),
        "refused_though_noticeably_better": int((~kept & (gain > NOTICED_DEG)).sum()),
        "refused_though_much_better": int((~kept & (gain > MUCH_DEG)).sum()),
    }


_COLUMNS = {
    "sequences": "sequences",
    "given_up": "given up",
    "refused_by_device": "refused: device",
    "refused_at_validation": "validation",
    "kept": "kept",
    "kept_worse": "worse",
    "kept_noticeably_worse": f"by {NOTICED_DEG:g}°",
    "kept_much_worse": f"by {MUCH_DEG:g}°",
    "kept_worst_loss_deg": "most",
    "would_have_been_worse": "had all been kept",
    "refused_though_noticeably_better": f"refused, {NOTICED_DEG:g}° better",
    "refused_though_much_better": f"{MUCH_DEG:g}° better",
}


def _print(console: Console, found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(title=f"{found['model']}, {found['points']} points, seed {found['seed']}")
    table.add_column("wearer")
    for heading in _COLUMNS.values():
        table.add_column(heading, justify="right")
    parts = found["kinds"] | {f"attentive, in use {name}": one for name, one in found["attentive"].items()}
    for name, counts in (parts | {"all": found["all"]}).items():
        table.add_row(name, *(str(counts[key]) for key in _COLUMNS))
    console.print(table)
