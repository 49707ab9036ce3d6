"""`psog bench search`: networks that a search finds, against the shipped architecture and chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.benchmarks.tables import Table
from psog.errors import PsogError

if TYPE_CHECKING:
    from psog.benchmarks.search_runs import Protocol

_SHIPPED = 34_234
"""Instructions of the shipped ring16 on a Cortex-M4, as `psog export` counts them."""
_WIDTH = 120  # of the tables, also where they are piped


@dataclass(frozen=True)
class Command:
    """Search under the instructions of the shipped ring16, by optuna's sampler and by chance; train alike.

    What each search found and the shipped architecture are trained on other users, with other seeds, equally
    long, and judged by users that nothing was chosen on. The full form takes some 10 minutes of one core;
    --short, seconds.
    """

    headset: str = "ring16"
    """A name, or the path of a TOML file."""
    instructions: int = _SHIPPED
    """Of one inference on mps2-an386, at most."""
    short: bool = False
    """Few trials, steps, users and seeds. The result says what was used."""
    searches: int | None = None
    """How many of each sampler, with seeds from 0 on; what the form says if not given."""
    work: Path | None = None
    """Folder that keeps searches and trainings: the same command goes on where it was stopped."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json
        import tempfile

        import torch
        from rich.console import Console

        from psog.benchmarks.search_runs import measure

        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        progress = Console(stderr=True)

        def told(what: str) -> None:
            progress.print(what, highlight=False, soft_wrap=True)

        with tempfile.TemporaryDirectory(prefix="psog-search-") as place:
            document = measure(self._protocol(), self.work or Path(place), told)
        if self.json:
            print(json.dumps(document))
            return
        console = Console(width=_WIDTH)
        for table in tables(document):
            console.print(table.rich())

    def _protocol(self) -> Protocol:
        from psog.benchmarks.search_runs import FULL, SHORT

        protocol = SHORT if self.short else FULL
        plan = replace(protocol.plan, headset=self.headset, instructions=self.instructions)
        if self.searches is not None and self.searches < 1:
            raise PsogError(f"--searches is {self.searches}; expected at least 1")
        return replace(protocol, plan=plan, searches=self.searches or protocol.searches)


def tables(document: dict[str, Any]) -> list[Table]:
    """What the searches found, how that and the shipped architecture do, and what a trial's rank is worth."""
    plan = document["protocol"]["plan"]
    return [
        _searches(document, plan),
        _against(document, "test", "test_steps"),
        _against(document, "longer", "longer_steps"),
        _front(document, plan),
        _proxy(document),
    ]


def _searches(document: dict[str, Any], plan: dict[str, Any]) -> Table:
    rows = []
    for one in document["searches"]:
        found = one["found"]
        cells = ["nothing", "–", "–"]
        if found is not None:
            cells = [_name(found), f"{found['instructions']:,}", f"{found['mean_deg']:.3f}"]
        rows.append(
            [f"{one['sampler']}, {one['seed']}", f"{one['steps']:,}", f"{one['best_proxy_deg']:.3f}", *cells]
        )
    model = document["instruction_model"]
    return Table(
        f"{plan['headset']}, at most {plan['instructions']:,} instructions on {plan['board']}: searches of "
        f"{plan['trials']} trials of up to {plan['steps']} steps",
        ("sampler, seed", "steps", "best trial, °", "found", "instructions", "as a finalist, °"),
        rows,
        f"Finalists after {plan['final_steps']} steps, judged by {plan['final_judges']} other users. "
        f"Estimated instructions of trials are {model['mean_error']:.2%} off on average and "
        f"{model['largest_error']:.2%} at most, of {document['protocol']['nets'][1]} networks that the "
        "estimate does not follow from.",
    )


def _against(document: dict[str, Any], part: str, steps: str) -> Table:
    by_sampler: dict[str, list[str]] = {}
    for one in document["searches"]:
        if one["found"] is not None:
            flags = _flags(one["found"])
            by_sampler.setdefault(flags, []).append(f"{one['sampler']} {one['seed']}")
    protocol = document["protocol"]
    rows: list[list[str]] = []
    for flags, one in document[part].items():
        mean, sd = one["above_shipped_deg"]
        name = flags.removeprefix("--network ")
        origin = ", ".join(by_sampler.get(flags, [])) or "shipped"
        difference = "" if not rows else f"{mean:+.3f} ± {sd:.3f}, {one['better_for']}"
        each = " ".join(f"{error:.3f}" for error in one["each_deg"])
        rows.append([name, origin, f"{one['instructions']:,}", f"{one['mean_deg']:.3f}", each, difference])
    return Table(
        f"Trained alike for {protocol[steps]:,} steps, mean error of {protocol['test_users']} users that "
        "nothing was chosen on, int8, 9 points, half of it after a slip of 1 mm, degrees",
        ("network", "found by", "instructions", "error", "each training", "above shipped, users better"),
        rows,
        "Above shipped: paired by user, mean ± SD over users of the mean of the trainings; then for how many "
        "users it is better.",
    )


def _front(document: dict[str, Any], plan: dict[str, Any]) -> Table:
    rows = [[_name(one), f"{one['instructions']:,}", f"{one['error_deg']:.3f}"] for one in document["front"]]
    return Table(
        f"Front of all trials, after {plan['steps']} steps",
        ("network", "instructions, estimated", "error, °"),
        rows,
        "Seeds differ in their judges. What the error of a trial is worth, the next table says.",
    )


def _proxy(document: dict[str, Any]) -> Table:
    proxy, protocol = document["proxy"], document["protocol"]
    rows = [
        [
            one["network"].removeprefix("--network "),
            f"{one['instructions']:,}",
            f"{one['trial_deg']:.3f}",
            f"{one['trained_deg']:.3f}",
        ]
        for one in proxy["pairs"]
    ]
    correlation = proxy["rank_correlation"]
    told = "" if correlation is None else f"Spearman's rank correlation {correlation:.2f}."
    return Table(
        f"What a trial says: {len(rows)} of the {proxy['of']} finished trials of seed 0, evenly over their "
        f"ranks, and the same networks after {protocol['test_steps']} steps with other seeds and judges",
        ("network", "instructions", "as a trial, °", "trained, °"),
        rows,
        told,
    )


def _flags(one: dict[str, Any]) -> str:
    pruned = "" if one["keep"] == 1 else f" --keep {one['keep']:g}"
    return f"--network {one['network']}{pruned}"


def _name(one: dict[str, Any]) -> str:
    return _flags(one).removeprefix("--network ")
