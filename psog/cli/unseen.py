"""What `psog train` and `psog evaluate` share: a model's error on simulated users it has never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from psog.episodes import Episodes
    from psog.headset import Headset
    from psog.net.integer import IntegerNet

SLIPS_MM = (0.0, 0.5, 1.0, 2.0)


def errors_on_unseen_users(net: IntegerNet, headset: Headset, users: int, seed: int) -> dict[str, Any]:
    """Errors of new users after nine calibration points and after slips; see psog.net.evaluation.

    Raises:
        PsogError: fewer than one user, or a model of another headset.
    """
    from psog.net.evaluation import evaluate

    episodes = _episodes(headset, users, seed)
    return {**evaluate(net, episodes, headset, SLIPS_MM, seed), "seed": seed, "points": 9}


def quality_on_unseen_users(
    net: IntegerNet, headset: Headset, users: int, seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The errors, and the data quality of the same users' gaze as docs/metrics.md explains it.

    Raises:
        PsogError: fewer than one user, or a model of another headset.
    """
    from psog.net.evaluation import judge, still_eyes

    episodes = _episodes(headset, users, seed)
    found = judge(net, episodes, headset, SLIPS_MM, seed)
    still = still_eyes(episodes, headset, found.forms["int8"].wearers, seed)
    return {**found.summary(), "seed": seed, "points": 9}, found.report(still)


def _episodes(headset: Headset, users: int, seed: int) -> Episodes:
    from psog.sim.episodes import make_test_episodes

    return make_test_episodes(headset, users=users, seed=seed, slips_mm=SLIPS_MM)


def print_errors(console: Console, errors: dict[str, Any]) -> None:
    """A table of them."""
    from rich.table import Table

    table = Table(title=f"gaze error of {errors['users']} unseen users (seed {errors['seed']}), degrees")
    table.add_column("")
    for form in ("float", "int8"):
        table.add_column(f"{form}: median user", justify="right")
        table.add_column("95th percentile", justify="right")
    rows = {"not calibrated": [errors[form]["uncalibrated"] for form in ("float", "int8")]}
    for slip in errors["int8"]["slips"]:
        name = f"{errors['points']} points" if slip == "0" else f"after a {slip} mm slip"
        rows[name] = [errors[form]["slips"][slip] for form in ("float", "int8")]
    for name, forms in rows.items():
        cells = [f"{value[key]:.2f}" for value in forms for key in ("median_deg", "p95_deg")]
        table.add_row(name, *cells)
    console.print(table)
