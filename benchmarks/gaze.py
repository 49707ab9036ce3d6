"""`psog bench gaze`: how well unseen users are tracked, by calibration points and slip, against the bound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from psog.benchmarks.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.headset import Headset
    from psog.net.integer import IntegerNet

REGION_DEG = 15.0
"""Half width of the part of the field that is told apart."""
_NOTE = f"Median user, mean ± SD over models / 95th percentile / median within ±{REGION_DEG:g}°, degrees."


@dataclass(frozen=True)
class Command:
    """The standing table: gaze error of unseen users for models of one or more headsets.

    Models of one headset (of several training seeds) are taken together: mean and SD over them.
    """

    models: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders of `psog train`."""
    users: int = 60
    """Unseen ones for each headset."""
    seed: int = 999
    """Of the unseen users, their fits, slips and noise."""
    points: tuple[int, ...] = (0, 1, 5, 9, 13, 25)
    """Of the calibration; 0 is none."""
    slips_mm: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)
    """How far the headset slips after it."""
    ways: tuple[Literal["both", "head", "numbers"], ...] = ("both",)
    """What a calibration is used for: the user's head, the numbers that tell the network whose eye it sees,
    or both, as a device does."""
    headset: tuple[str, ...] = ()
    """TOML files of headsets that are not built in."""
    bound: bool = False
    """Work out the information bound too, and set the errors in relation to it: some minutes a headset."""
    bound_users: int = 20
    """Simulated users for the bound."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.errors import ModelError
        from psog.headset import load_headset

        if not self.models:
            raise ModelError("no model to measure; expected folders of `psog train`")
        console = Console(stderr=True)
        own = {headset.name: headset for headset in map(load_headset, self.headset)}
        found = {}
        for name, nets in _by_headset(self.models).items():
            headset = own.get(name) or load_headset(name)
            with console.status(f"{name}: {len(nets)} models, {self.users} users"):
                found[name] = self._measure(nets, headset)
            if self.bound:
                found[name]["bound_deg"] = self._bounds(headset, console)
        document = {"users": self.users, "seed": self.seed, "headsets": found}
        if self.json:
            import json

            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())

    def _measure(self, nets: Sequence[IntegerNet], headset: Headset) -> dict[str, Any]:
        """{"models", "float": {points: {slip: figures}}, "int8": …, and "int8, head" and such."""
        import numpy as np

        from psog.net.calibrated import float_features, int8_features
        from psog.net.evaluation import noisy_wire
        from psog.net.gaze_errors import gaze_errors
        from psog.sim.episodes import make_test_episodes
        from psog.sim.grids import calibration_targets

        episodes = make_test_episodes(
            headset, users=self.users, seed=self.seed, points=max(self.points), slips_mm=self.slips_mm
        )
        wire = noisy_wire(episodes, headset, self.seed)
        label = episodes.gaze_deg[0, 0]
        grids = [calibration_targets(headset.field_deg, points).astype(np.float32) for points in self.points]
        chosen = [(label[:, None] == grid[None]).all(axis=-1).any(axis=1) for grid in grids]
        inside = np.asarray((np.abs(episodes.gaze_deg[:, 1:]) <= REGION_DEG).all(axis=-1))
        result: dict[str, Any] = {"models": len(nets)}
        forms = {"float": float_features, "int8": int8_features}
        asked = [(name, way) for way in self.ways for name in forms if way == "both" or name == "int8"]
        for name, way in asked:
            errors = np.stack(
                [gaze_errors(net, forms[name], wire, episodes, chosen, way=way) for net in nets]
            )
            result[name if way == "both" else f"{name}, {way}"] = self._figures(errors, inside)
        return result

    def _figures(self, errors: NDArray[np.float64], inside: NDArray[np.bool_]) -> dict[str, Any]:
        """{points: {slip: {figure: [mean, SD over models]}}}.

        Args:
            errors: (models, calibrations, users, slips, samples) degrees.
            inside: (users, slips, samples) whether the gaze lies in the inner region.
        """
        import numpy as np

        whole = errors.mean(axis=-1)
        inner = np.where(inside, errors, 0).sum(axis=-1) / inside.sum(axis=-1)
        figures = {
            "median_deg": np.median(whole, axis=2),
            "p95_deg": np.quantile(whole, 0.95, axis=2),
            "inner_median_deg": np.median(inner, axis=2),
        }
        spread = 1 if len(errors) > 1 else 0
        return {
            str(points): {
                f"{slip:g}": {
                    name: [round(float(v[:, i, j].mean()), 4), round(float(v[:, i, j].std(ddof=spread)), 4)]
                    for name, v in figures.items()
                }
                for j, slip in enumerate(self.slips_mm)
            }
            for i, points in enumerate(self.points)
        }

    def _bounds(self, headset: Headset, console: Console) -> dict[str, dict[str, float]]:
        """{points: {slip: degrees}}: mean error over gazes of the median user."""
        from psog.sim.bound.survey import CASES, Question, survey_points

        question = Question(users=self.bound_users, slips_mm=self.slips_mm, seed=self.seed)
        with console.status(f"{headset.name}: the bound"):
            found = survey_points(headset, question, self.points)
        return {
            str(points): {
                f"{slip:g}": round(one.median_user_deg(CASES[2] if points else CASES[1], index, 0), 4)
                for index, slip in enumerate(self.slips_mm)
            }
            for points, one in zip(self.points, found, strict=True)
        }


def _by_headset(folders: Sequence[Path]) -> dict[str, list[IntegerNet]]:
    from psog.net.store import load_model

    nets: dict[str, list[IntegerNet]] = {}
    for folder in folders:
        net = load_model(folder).net
        nets.setdefault(net.headset, []).append(net)
    return nets


def tables(document: dict[str, Any]) -> list[Table]:
    """One for each headset and each use of a calibration."""
    made: list[Table] = []
    for name, of_headset in document["headsets"].items():
        for way in (key for key in of_headset if key.startswith("int8")):
            models = f"{of_headset['models']} models (training seeds), {way}"
            title = (
                f"{name}: gaze error of {document['users']} unseen users (seed {document['seed']}), {models}"
            )
            slips = next(iter(of_headset[way].values()))
            rows = []
            for points, row in of_headset[way].items():
                bounds = of_headset.get("bound_deg", {}).get(points, {})
                cells = [_cell(figures, bounds.get(slip)) for slip, figures in row.items()]
                rows.append(("none" if points == "0" else points, *cells))
            made.append(Table(title, ("points", *(f"{slip} mm" for slip in slips)), rows, _NOTE))
    return made


def _cell(figures: dict[str, list[float]], bound_deg: float | None) -> str:
    median, sd = figures["median_deg"]
    text = f"{median:.2f} ± {sd:.2f} / {figures['p95_deg'][0]:.2f} / {figures['inner_median_deg'][0]:.2f}"
    return text if bound_deg is None else f"{text}; {median / bound_deg:.1f} ×"
