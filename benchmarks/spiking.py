"""`psog bench spiking`: error against energy of networks of spikes, beside int8."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

if TYPE_CHECKING:
    from rich.console import Console

    from psog.benchmarks.spiking_study import Protocol
    from psog.benchmarks.tables import Table

_WHOLE_FROM_NJ = 100  # where a decimal is no longer worth telling


@dataclass(frozen=True)
class Command:
    """Convert models to spikes, sweep time steps, thresholds and weight bits, and judge on unseen users.

    Models of one headset that differ in their seeds of training are judged together. What the sweep finds is
    chosen on other users than those of the result. The full form with both shipped models takes some four
    minutes of one core, one more for each further model; --short, seconds.
    """

    models: Positional[tuple[Path, ...]] = (Path("ring16"), Path("grid15"))
    """Model folders, or names of models that come with psog; of each headset the first is swept."""
    short: bool = False
    """Few users and settings. The result says what was used."""
    timesteps: tuple[int, ...] = ()
    """Numbers of steps, rising, 64 among them; what the form says if not given."""
    users: int | None = None
    """Unseen ones in each seed; what the form says if not given."""
    out: Path | None = None
    """Picture to draw, .png: error against energy."""
    keep: Path | None = None
    """A file for parts that are done: given again, the same command goes on from there."""
    force: bool = False
    """Replace an existing picture."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.errors import SimulationError
        from psog.files import check_new_file

        if self.out is not None:
            check_new_file(self.out, ".png", SimulationError, force=self.force)
        torch.set_num_threads(1)
        document = measure(self.models, self._protocol(), Console(stderr=True), self.keep)
        if self.out is not None:
            from psog.benchmarks.spiking_picture import draw_spiking

            draw_spiking(document, self.out)
        if self.json:
            print(json.dumps(document, allow_nan=False))
        else:
            for table in tables(document):
                Console().print(table.rich())

    def _protocol(self) -> Protocol:
        from psog.benchmarks.spiking_study import AT, SHORT, Protocol
        from psog.errors import PsogError

        form = SHORT if self.short else Protocol()
        steps = self.timesteps or form.timesteps
        if list(steps) != sorted(set(steps)) or AT not in steps:
            told = " ".join(map(str, steps))
            raise PsogError(f"--timesteps is {told}; expected rising numbers, {AT} among them")
        return replace(form, timesteps=steps, users=form.users if self.users is None else self.users)


def measure(
    models: tuple[Path, ...], protocol: Protocol, console: Console, keep: Path | None = None
) -> dict[str, Any]:
    """Everything, by headset.

    Returns:
        The protocol, and in "headsets" for each headset "models", "tried" (settings of the sweep), "sweep",
        "judged" and "microcontroller" (psog.benchmarks.spiking_study).
    Raises:
        PsogError: a model that cannot be read, or is of a headset that is not built in; two of one name; or
            `keep` is of something else.
    """
    from dataclasses import asdict

    from psog.benchmarks.pieces import Pieces
    from psog.benchmarks.spiking_study import (
        chosen,
        is_by_steps,
        judged,
        on_microcontroller,
        subject,
        sweep,
    )
    from psog.headset import load_headset
    from psog.net.store import load_model

    pieces = Pieces(keep, asdict(protocol))
    found = {}
    for name, paths in _by_headset(models).items():
        console.print(f"{name}: {', '.join(paths)}", highlight=False)
        with console.status(name):
            one = subject(load_headset(name), {key: load_model(path) for key, path in paths.items()})
            rows = sweep(one, protocol, pieces, console)
            configs = chosen(rows, protocol)
            result = judged(one, configs, protocol, pieces, console)
            by_steps = {key: config for key, config in configs.items() if is_by_steps(key)}
            cost = pieces.get(
                f"{one.prints[one.first]}, microcontroller",
                partial(on_microcontroller, one, paths[one.first], by_steps),
            )
        found[name] = {
            "models": list(paths),
            "tried": len(rows),
            "sweep": rows,
            "judged": result,
            "microcontroller": cost,
        }
    return {**asdict(protocol), "headsets": found}


def _by_headset(models: tuple[Path, ...]) -> dict[str, dict[str, Path]]:
    """By headset and name of the model, its path."""
    from psog.errors import PsogError
    from psog.net.store import load_model

    found: dict[str, dict[str, Path]] = {}
    for path in models:
        headset, name = load_model(path).net.headset, path.resolve().name
        of_headset = found.setdefault(headset, {})
        if name in of_headset:
            raise PsogError(f"two models of {headset} are named {name}; results go by name, so rename one")
        of_headset[name] = path
    if not found:
        raise PsogError("no model is given; name a folder, or ring16 or grid15")
    return found


def tables(document: dict[str, Any]) -> list[Table]:
    """Of each headset what was judged, and what a microcontroller takes."""
    return list(_tables(document))


def _tables(document: dict[str, Any]) -> Iterator[Table]:
    from psog.benchmarks.tables import Table

    for name, found in document["headsets"].items():
        models = len(found["models"])
        seeds, users = document["seeds"], document["users"]
        yield Table(
            f"{name} by spikes, {users} unseen users in each of {seeds} seeds, {models} trained "
            f"{'network' if models == 1 else 'networks'}; degrees after 9 points; energy of operations, nJ",
            (
                "",
                "threshold",
                "median user",
                "above int8, paired",
                "after 1 mm",
                "operations",
                "float32",
                "integer",
                "with memory",
                "Loihi",
            ),
            [_judged_row(key, row) for key, row in found["judged"].items()],
            f"Mean ± SD over seeds of users{_over_models(found['judged'])}. Thresholds are the best of "
            f"{len(document['thresholds'])} on {document['choosing_users']} other users.",
        )
        if found["microcontroller"] is not None:
            yield _microcontroller_table(name, found["microcontroller"])


def _judged_row(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    is_spiking = row["config"] is not None
    operations = row["macs"] + row["synaptic"] + row["updates"]
    energies = [row["float_nj"], row["integer_nj"], row["integer_nj"] + row["memory_nj"], row["loihi_nj"]]
    return (
        name,
        f"{row['config']['threshold']:g}" if is_spiking else "",
        _spread(row["median_deg"]),
        _spread(row["paired_deg"], "+") if is_spiking else "",
        _spread(row["slipped_deg"]),
        f"{operations:,.0f}",
        *((f"{nj:.1f}" if nj < _WHOLE_FROM_NJ else f"{nj:,.0f}") if nj else "" for nj in energies),
    )


def _spread(found: dict[str, Any], sign: str = "") -> str:
    scatter = "" if found["sd"] is None else f" ± {found['sd']:.2f}"
    return f"{found['mean']:{sign}.2f}{scatter}"


def _over_models(judged: dict[str, Any]) -> str:
    """What trained networks scatter by, where there are several."""
    sd = judged["int8"]["median_deg"]["sd_models"]
    if sd is None:
        return ""
    largest = max(row["paired_deg"]["sd_models"] or 0 for row in judged.values())
    return (
        f"; over trained networks int8 scatters by {sd:.2f}°, paired differences by {largest:.2f}° at most; "
        "variants are of the first network"
    )


def _microcontroller_table(headset: str, found: dict[str, Any]) -> Table:
    from psog.benchmarks.tables import Table

    rows = [
        (
            "int8" if row["timesteps"] is None else f"{row['timesteps']} steps",
            f"{row['instructions']:,}",
            f"{row['cycles_estimated']:,}",
            f"{row['time_us']:,.0f}",
            f"{row['share_of_period']:.0%}",
            f"{row['energy_uj']:,.0f}",
        )
        for row in found["rows"]
    ]
    return Table(
        f"{headset} on a {found['core']} ({found['part']}, {found['clock_mhz']:g} MHz)",
        ("", "instructions", "cycles, estimated", "µs", f"of a period at {found['rate_hz']:g} Hz", "µJ"),
        rows,
        f"Instructions of all time steps counted in QEMU, a mean of {found['readings']} readings, and the "
        f"first layer's share of the int8 inference. Energy by {found['energy_source']}.",
    )
