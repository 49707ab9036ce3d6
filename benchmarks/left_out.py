"""`psog bench left-out`: whether what a calibration says of left-out targets holds for others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tyro.conf import Positional

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.headset import Headset
    from psog.net.calibrated import Calibrated
    from psog.net.integer import IntegerNet

FIRST_SEED = 1000
"""Wearers from here on are never trained on (psog-calibrate --user-seed)."""
_READINGS = 300
_SETTLING_US = 700_000
_LOOKING_US = 600_000
_OPEN = 0.9


@dataclass(frozen=True)
class Command:
    """What a calibration says of its accuracy from its own targets, beside the error on others.

    Simulated wearers look at the targets of `psog-calibrate`, who blink, drift and scatter as they do there,
    without a slip. Errors are rms over targets of the rms over readings, means over wearers.
    """

    model: Positional[Path] = Path("ring16")
    """Folder of `psog train`, or the name of a model that comes with psog."""
    points: tuple[Literal[5, 9, 13], ...] = (5, 9, 13)
    """Calibration targets."""
    wearers: int = 24
    """From seed 1000 on."""
    untold: bool = False
    """As if the model had no user embedding: the head alone is fitted."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.errors import PsogError
        from psog.headset import load_headset
        from psog.net.shipped import model_place
        from psog.net.store import load_model

        if self.wearers < 1:
            raise PsogError(f"--wearers is {self.wearers}; expected at least 1")
        net = load_model(model_place(self.model)).net
        if self.untold:
            net = replace(net, embedding=None)
        headset = load_headset(net.headset)
        with Console(stderr=True).status(f"{self.wearers} wearers"):
            found = {points: measure(net, headset, points, self.wearers) for points in self.points}
        result = {"model": str(self.model), "wearers": self.wearers, "untold": self.untold, "points": found}
        if self.json:
            import json

            print(json.dumps(result))
        else:
            _print(Console(), result)


class Session(NamedTuple):
    """What one wearer's headset read.

    Attributes:
        readings: of each target (n, sensors), with open eyes.
        target_deg: (targets, 2).
    """

    readings: list[NDArray[np.uint16]]
    target_deg: NDArray[np.float64]


def measure(net: IntegerNet, headset: Headset, points: int, wearers: int) -> dict[str, Any]:
    """Means over wearers, their standard errors, and how left-out and unseen errors go together.

    Returns:
        {"mean", "standard_error"} of the errors of `judge` by name; "ratio", the median over wearers of left
        out / unseen; "correlation" of the two.
    """
    import numpy as np

    judged = [judge(net, *wear(headset, points, FIRST_SEED + wearer)) for wearer in range(wearers)]
    values = {name: np.array([one[name] for one in judged]) for name in judged[0]}
    left_out, unseen = values["left_out_deg"], values["unseen_deg"]
    spread = {name: float(of.std(ddof=1) / np.sqrt(wearers)) for name, of in values.items() if wearers > 1}
    return {
        "mean": {name: round(float(of.mean()), 3) for name, of in values.items()},
        "standard_error": {name: round(error, 3) for name, error in spread.items()},
        "ratio": round(float(np.median(left_out / unseen)), 3),
        "correlation": round(float(np.corrcoef(left_out, unseen)[0, 1]), 3) if wearers > 1 else None,
    }


def wear(headset: Headset, points: int, seed: int) -> tuple[Session, Session]:
    """A simulated wearer's calibration targets, and the validation targets of the same session."""
    import numpy as np

    from psog.calibration.targets import plan_targets
    from psog.virtual.source import Target
    from psog.virtual.wearer import Wearer

    wearer, plan, now_us = Wearer(headset, seed), plan_targets(points, headset.field_deg, seed), 0
    sessions = []
    for targets in (plan.calibration, plan.validation):
        readings = []
        for target in targets:
            wearer.show(Target(target.h_deg, target.v_deg))
            now_us += _SETTLING_US
            wearer.take(now_us)
            now_us += _LOOKING_US
            wire = wearer.take(now_us).wire
            is_open = wearer.truth().openness[-len(wire) :] > _OPEN
            readings.append(wire[is_open][:_READINGS])
        places = [(target.h_deg, target.v_deg) for target in targets]
        sessions.append(Session(readings, np.array(places)))
    return sessions[0], sessions[1]


def judge(net: IntegerNet, calibration: Session, validation: Session) -> dict[str, float]:
    """A wearer's errors.

    Returns:
        "after_deg" on the readings it was fitted to; "left_out_deg" and "left_out_worst_deg" as a device
        tells them; "afresh_deg" the same with a whole calibration without each target; "unseen_deg" and
        "unseen_worst_deg" on the validation targets; "of_all_readings_deg" the same had all readings been
        kept.
    """
    import numpy as np

    from psog.net.calibrated import calibrated, int8_features
    from psog.net.embedding import personal
    from psog.net.left_out import leave_targets_out
    from psog.net.told import kept

    few = Session([kept(wire) for wire in calibration.readings], calibration.target_deg)
    wire, at, target = _joined(few)
    told = personal(net, wire, at)
    features = int8_features(told)(wire)
    left_out = leave_targets_out(features, at, target, net.head.weight, net.head.ridge)
    afresh = []
    for index, readings in enumerate(few.readings):
        rest = target != index
        without = calibrated(net, int8_features, wire[rest], at[rest])
        afresh.append(_rms(without(readings) - few.target_deg[index]))
    unseen = _errors(calibrated(net, int8_features, wire, at), validation)
    of_all = _errors(calibrated(net, int8_features, *_joined(calibration)[:2]), validation)
    return {
        "after_deg": left_out.after_deg,
        "left_out_deg": left_out.rms_deg,
        "left_out_worst_deg": left_out.worst_deg,
        "afresh_deg": float(np.sqrt(np.mean(np.square(afresh)))),
        "unseen_deg": float(np.sqrt((unseen**2).mean())),
        "unseen_worst_deg": float(unseen.max()),
        "of_all_readings_deg": float(np.sqrt((of_all**2).mean())),
    }


def _joined(
    session: Session,
) -> tuple[NDArray[np.uint16], NDArray[np.float64], NDArray[np.intp]]:
    """All readings, the target of each, and which one that is."""
    import numpy as np

    target = np.repeat(np.arange(len(session.readings)), [len(wire) for wire in session.readings])
    return np.concatenate(session.readings), session.target_deg[target], target


def _errors(gaze: Calibrated, session: Session) -> NDArray[np.float64]:
    """(targets,) rms error."""
    import numpy as np

    pairs = zip(session.readings, session.target_deg, strict=True)
    return np.array([_rms(gaze(wire) - place) for wire, place in pairs])


def _rms(error_deg: NDArray[np.float64]) -> float:
    import numpy as np

    return float(np.sqrt((error_deg**2).sum(axis=1).mean()))


def _print(console: Console, result: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(title=f"{result['model']}, {result['wearers']} wearers: rms error, mean over wearers")
    table.add_column("")
    for points in result["points"]:
        table.add_column(f"{points} points", justify="right")
    found = list(result["points"].values())
    for name in found[0]["mean"]:
        table.add_row(name.removesuffix("_deg").replace("_", " "), *(_shown(one, name) for one in found))
    table.add_row("left out / unseen, median", *(f"{one['ratio']:.2f}" for one in found))
    if result["wearers"] > 1:
        table.add_row("correlation of the two", *(f"{one['correlation']:.2f}" for one in found))
    console.print(table)


def _shown(found: dict[str, Any], name: str) -> str:
    error = found["standard_error"].get(name)
    return f"{found['mean'][name]:.2f}°" + ("" if error is None else f" ± {error:.2f}°")
