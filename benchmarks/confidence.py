"""`psog bench confidence`: how well a model knows when its gaze is not to be trusted, on unseen users."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from psog.benchmarks.tables import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.net.confidence import Judged
    from psog.net.integer import IntegerNet

SLIPS_MM = (0.0, 1.0, 2.0, 4.0, 6.0)
TRAINED_MM = 2.0
"""Slips up to this are trained for; those above are beyond."""
LIDS_SHARE = 0.25
"""Of the samples; many, so that AUROCs are steady. An AUROC does not depend on the share."""
CLOSED, NOT_OPEN = 0.25, 0.75
LARGE_DEG = 3.0
DECILES = 10
WITHHELD = (0.0, 0.05, 0.1, 0.2)
_TENTHS = ("", *map(str, range(1, DECILES + 1)))


@dataclass(frozen=True)
class Command:
    """Whether a model knows when not to be trusted: lids on their way, slips beyond training, large errors.

    Of simulated users it has never seen, not calibrated and calibrated at nine points: AUROC of openness and
    of the expected error, expected beside actual error, and the error left when the worst are withheld.
    """

    models: Positional[tuple[Path, ...]] = (Path("ring16"), Path("grid15"))
    """Folders of `psog train`, or names of models that come with psog."""
    users: int = 200
    """Unseen ones."""
    seed: int = 999
    """Of the users, their fits, slips, lids and noise."""
    headset: Path | None = None
    """TOML file of a headset that is not built in."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json

        from rich.console import Console

        document: dict[str, Any] = {"users": self.users, "seed": self.seed, "models": {}}
        for model in self.models:
            document["models"][model.name] = self._judged(model, Console(stderr=True))
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())

    def _judged(self, model: Path, console: Console) -> dict[str, Any]:
        from psog.headset import load_headset
        from psog.net.confidence import judge
        from psog.net.shipped import model_place
        from psog.net.store import load_model
        from psog.sim.episodes import make_test_episodes

        net = load_model(model_place(model)).net
        headset = load_headset(str(self.headset or net.headset))
        with console.status(f"{model.name}: {self.users} users"):
            episodes = make_test_episodes(
                headset, users=self.users, seed=self.seed, slips_mm=SLIPS_MM, lids_share=LIDS_SHARE
            )
            return figures(net, judge(net, episodes, headset, self.seed))


def figures(net: IntegerNet, found: Judged) -> dict[str, Any]:
    """{"openness": AUROCs, "uncalibrated": …, "calibrated": …}, with AUROCs, reliability, error left."""
    import numpy as np

    from psog.metrics import auroc
    from psog.net.architecture import OPENNESS
    from psog.net.confidence import stranger_error_deg

    head = net.head
    openness = found.stranger_features @ head.weight[OPENNESS, :-1] + head.weight[OPENNESS, -1]
    within = np.array(SLIPS_MM)[found.pose] <= TRAINED_MM
    is_open, closed = found.openness == 1, found.openness < CLOSED
    half = ~closed & (found.openness < NOT_OPEN)
    expected = {
        "uncalibrated": (stranger_error_deg(head, found.stranger_features), found.stranger_error_deg),
        "calibrated": (head.leverage_deg * found.leverage**head.leverage_power, found.error_deg),
    }
    return {
        "openness": {
            name: round(auroc(-openness[(is_open | which) & within], which[(is_open | which) & within]), 4)
            for name, which in (("closed", closed), ("half", half))
        },
        **{name: _of_expected(*pair, found.openness, within) for name, pair in expected.items()},
    }


def _of_expected(
    expected_deg: NDArray[np.float64],
    error_deg: NDArray[np.float64],
    openness: NDArray[np.floating],
    within: NDArray[np.bool_],
) -> dict[str, Any]:
    import numpy as np

    from psog.metrics import auroc

    is_open = openness == 1
    in_use = is_open & within
    lids = (is_open | (openness < NOT_OPEN)) & within
    everything = np.ones(len(openness), bool)
    large = error_deg > LARGE_DEG
    return {
        "auroc": {
            "lids": round(auroc(expected_deg[lids], ~is_open[lids]), 4),
            "slips": round(auroc(expected_deg[is_open], ~within[is_open]), 4),
            "large": round(auroc(expected_deg[is_open], large[is_open]), 4),
            "large_within": round(auroc(expected_deg[in_use], large[in_use]), 4),
            "large_everything": round(auroc(expected_deg, large), 4),
        },
        "reliability": {
            name: _reliability(expected_deg[which], error_deg[which])
            for name, which in (("within", in_use), ("everything", everything))
        },
        "error_deg": {
            name: {f"{share:g}": _left(expected_deg[which], error_deg[which], share) for share in WITHHELD}
            for name, which in (("within", in_use), ("open", is_open), ("everything", everything))
        },
    }


def _reliability(
    expected_deg: NDArray[np.float64], error_deg: NDArray[np.float64]
) -> list[tuple[float, float]]:
    """Mean expected and mean actual error of each tenth, by what is expected."""
    import numpy as np

    tenths = np.array_split(np.argsort(expected_deg), DECILES)
    return [(round(float(expected_deg[t].mean()), 3), round(float(error_deg[t].mean()), 3)) for t in tenths]


def _left(expected_deg: NDArray[np.float64], error_deg: NDArray[np.float64], withheld: float) -> float:
    """Mean error of the rest when this share is withheld, the worst by expectation."""
    import numpy as np

    kept = np.argsort(expected_deg)[: round(len(expected_deg) * (1 - withheld))]
    return round(float(error_deg[kept].mean()), 3)


_AUROCS = {
    "lids": "lids less than three quarters open",
    "slips": f"slips beyond {TRAINED_MM:g} mm",
    "large": f"errors above {LARGE_DEG:g}°, eyes open",
    "large_within": f"the same, slips to {TRAINED_MM:g} mm",
    "large_everything": f"errors above {LARGE_DEG:g}°, everything",
}
_WHERE = {"within": f"open, to {TRAINED_MM:g} mm", "open": "open, to 6 mm", "everything": "everything"}


_STATES = {"uncalibrated": "not calibrated", "calibrated": "9 points"}


def tables(document: dict[str, Any]) -> list[Table]:
    """AUROCs, the error left, and expected beside actual error."""
    who = f"{document['users']} unseen users, seed {document['seed']}"
    columns = [(name, found, state) for name, found in document["models"].items() for state in _STATES]
    headings = [f"{name}, {_STATES[state]}" for name, _, state in columns]
    auroc = [
        (f"openness: {words}", *(f"{found['openness'][name]:.3f}" for _, found, _ in columns))
        for name, words in (("closed", "closed lids"), ("half", "half closed"))
    ] + [
        (f"expected error: {words}", *(f"{found[state]['auroc'][name]:.3f}" for _, found, state in columns))
        for name, words in _AUROCS.items()
    ]
    withheld = [
        (f"{heading}, {_WHERE[where]}", *(f"{error:.2f}" for error in errors.values()))
        for heading, (_, found, state) in zip(headings, columns, strict=True)
        for where, errors in found[state]["error_deg"].items()
    ]
    tenths = [
        (f"{heading}, {_WHERE[where]}", *(f"{expected:.1f}/{actual:.1f}" for expected, actual in rows))
        for heading, (_, found, state) in zip(headings, columns, strict=True)
        for where, rows in found[state]["reliability"].items()
    ]
    left = ("", *(f"{share:.0%} withheld" for share in WITHHELD))
    return [
        Table(f"AUROC, {who}", ("", *headings), auroc),
        Table("mean error in degrees when the worst are withheld", left, withheld),
        Table("expected / actual error in degrees, by tenths of what is expected", _TENTHS, tenths),
    ]
