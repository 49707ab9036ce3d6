"""What `psog bench spiking` measures: a sweep on some users, its choice on others, a microcontroller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from psog.benchmarks.pieces import Pieces
from psog.cli.spike import SCALE_USERS, wearers
from psog.errors import ToolchainError
from psog.headset import Headset
from psog.net.integer import IntegerNet
from psog.net.spiking.conversion import SpikingConfig
from psog.net.spiking.energy import Operations, told
from psog.net.spiking.study import Int8Outcome, Outcome, Wearers, by_int8, by_spikes
from psog.net.store import Model

SLIPS_MM = (0.0, 1.0)
AT = 64
"""Time steps at which weights of fewer bits and other neurons are compared."""
INT8, WITHOUT_ZEROS = "int8", "int8, zeros left out"
_SEED = 0  # of the users that scale and choose; those of the results have seeds of another purpose


@dataclass(frozen=True)
class Protocol:
    """How much is measured.

    Attributes:
        timesteps: numbers of steps.
        thresholds, weight_bits: of the sweep, every combination at all numbers of steps.
        choosing_users: on which the sweep runs.
        users: unseen ones, for each of `seeds` seeds, from 0.
    """

    timesteps: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256)
    thresholds: tuple[float, ...] = (0.7, 0.85, 1.0, 1.25, 1.5)
    weight_bits: tuple[int, ...] = (8, 6, 5, 4)
    choosing_users: int = 12
    users: int = 10
    seeds: int = 5


SHORT = Protocol((4, AT), (0.85, 1.0), (8, 5), choosing_users=2, users=1, seeds=2)


@dataclass(frozen=True)
class Subject:
    """Trained networks for one headset that differ in their seeds.

    Attributes:
        nets: by name.
        prints: of each a text that no other network has.
        scales: of each its activations' percentiles.
    """

    headset: Headset
    nets: dict[str, IntegerNet]
    prints: dict[str, str]
    scales: dict[str, NDArray[np.float64]]

    @property
    def first(self) -> str:
        """The name of the one that the sweep is made with."""
        return next(iter(self.nets))

    def wearers(self, users: int, seed: int, purpose: str, slips_mm: tuple[float, ...]) -> Wearers:
        net = self.nets[self.first]
        return wearers(net, self.headset, users, seed, purpose=purpose, slips_mm=slips_mm)

    def choosing(self, users: int) -> Wearers:
        """Users on whom settings are chosen."""
        return self.wearers(users, _SEED, "spiking choosing", (0.0,))


def subject(headset: Headset, models: dict[str, Model]) -> Subject:
    """Models, by name, with their scales."""
    nets = {name: model.net for name, model in models.items()}
    prints = {name: f"{name} {(model.origin or {})['weights_sha256'][:8]}" for name, model in models.items()}
    scaling = wearers(next(iter(nets.values())), headset, SCALE_USERS, _SEED, purpose="spiking scales")
    return Subject(headset, nets, prints, {name: scaling.scales(net) for name, net in nets.items()})


def sweep(subject: Subject, protocol: Protocol, pieces: Pieces, console: Console) -> list[dict[str, Any]]:
    """Every threshold with every number of weight bits and of steps, on the users that choose."""
    choosing = subject.choosing(protocol.choosing_users)
    found = []
    for bits in protocol.weight_bits:
        for threshold in protocol.thresholds:
            config = SpikingConfig(protocol.timesteps[-1], threshold, bits)
            name = f"{subject.prints[subject.first]}, {bits} bits, threshold {threshold:g}"
            rows = pieces.get(name, partial(_swept, subject, config, choosing, protocol.timesteps))
            console.print(f"{name}: {rows[0]['median_deg']}° to {rows[-1]['median_deg']}°", highlight=False)
            found += rows
    return found


def _swept(
    subject: Subject, config: SpikingConfig, choosing: Wearers, timesteps: Sequence[int]
) -> list[dict[str, Any]]:
    outcomes = by_spikes(
        subject.nets[subject.first], subject.scales[subject.first], config, choosing, timesteps
    )
    return [
        {
            "timesteps": steps,
            "threshold": config.threshold,
            "weight_bits": config.weight_bits,
            "median_deg": round(float(np.median(outcome.error_deg[:, 0])), 4),
            **told(outcome.operations),
        }
        for steps, outcome in zip(timesteps, outcomes, strict=True)
    ]


def chosen(sweep: Sequence[dict[str, Any]], protocol: Protocol) -> dict[str, SpikingConfig]:
    """What is judged, by name: for each number of steps the best threshold; at AT steps, variants."""

    def best(steps: int, bits: int) -> SpikingConfig:
        rows = [row for row in sweep if (row["timesteps"], row["weight_bits"]) == (steps, bits)]
        return SpikingConfig(steps, min(rows, key=lambda row: row["median_deg"])["threshold"], bits)

    at = best(AT, 8)
    return {
        **{f"{steps} steps": best(steps, 8) for steps in protocol.timesteps},
        **{f"{AT} steps, {bits} bits": best(AT, bits) for bits in protocol.weight_bits if bits < 8},
        f"{AT} steps, from 0": replace(at, start=0.0),
        f"{AT} steps, hard reset": replace(at, reset="zero"),
        f"{AT} steps, hard reset from 0": replace(at, reset="zero", start=0.0),
        f"{AT} steps, leak 1/64": replace(at, leak_shift=6),
        f"{AT} steps, leak 1/16": replace(at, leak_shift=4),
    }


def is_by_steps(name: str) -> bool:
    """Whether a setting differs from others in its steps alone; only these are judged on every model."""
    return name.endswith(" steps")


def judged(
    subject: Subject, configs: dict[str, SpikingConfig], protocol: Protocol, pieces: Pieces, console: Console
) -> dict[str, Any]:
    """The chosen settings on unseen users, and the int8 network on the same.

    Returns:
        By setting, and for "int8" and "int8, zeros left out": "config" (None for int8), "median_deg",
        "mean_deg", "slipped_deg" (the median after 1 mm) and "paired_deg" (mean difference per user), each as
        `over_seeds`; operations and energy.
    """
    each: dict[str, list[list[dict[str, float]]]] = {}
    for seed in range(protocol.seeds):
        unseen = subject.wearers(protocol.users, seed, "spiking unseen", SLIPS_MM)
        for model in subject.nets:
            asked = {k: v for k, v in configs.items() if model == subject.first or is_by_steps(k)}
            name = f"{subject.prints[model]}, users of seed {seed}"
            rows = pieces.get(name, partial(_rows, subject, model, asked, unseen))
            console.print(f"{name}: int8 {rows[INT8]['median_deg']:.2f}°", highlight=False)
            for setting, row in rows.items():
                each.setdefault(setting, [[] for _ in range(protocol.seeds)])[seed].append(row)
    return {name: _judgement(configs.get(name), each[name]) for name in (INT8, WITHOUT_ZEROS, *configs)}


def _rows(
    subject: Subject, model: str, configs: dict[str, SpikingConfig], unseen: Wearers
) -> dict[str, dict[str, float]]:
    """By setting, what came of one model on the users of one seed."""
    net = subject.nets[model]
    reference = by_int8(net, unseen)
    return {
        name: {**_figures(outcome, reference), **asdict(outcome.operations)}
        for name, outcome in _outcomes(net, subject.scales[model], configs, unseen, reference)
    }


def _outcomes(
    net: IntegerNet,
    scales: NDArray[np.float64],
    configs: dict[str, SpikingConfig],
    unseen: Wearers,
    reference: Int8Outcome,
) -> Iterator[tuple[str, Outcome]]:
    """Each setting's, those that differ in steps alone from one run."""
    yield INT8, reference
    yield WITHOUT_ZEROS, replace(reference, operations=reference.without_zeros)
    runs: dict[SpikingConfig, dict[int, str]] = {}
    for name, config in configs.items():
        runs.setdefault(replace(config, timesteps=1), {})[config.timesteps] = name
    for config, names in runs.items():
        steps = sorted(names)
        outcomes = by_spikes(net, scales, replace(config, timesteps=steps[-1]), unseen, steps)
        yield from ((names[count], outcome) for count, outcome in zip(steps, outcomes, strict=True))


def _figures(outcome: Outcome, reference: Outcome) -> dict[str, float]:
    error_deg = outcome.error_deg
    return {
        "median_deg": float(np.median(error_deg[:, 0])),
        "mean_deg": float(error_deg[:, 0].mean()),
        "slipped_deg": float(np.median(error_deg[:, 1])),
        "paired_deg": float((error_deg - reference.error_deg)[:, 0].mean()),
    }


def _judgement(config: SpikingConfig | None, each: list[list[dict[str, float]]]) -> dict[str, Any]:
    """Of (seeds, models) rows."""

    def values(key: str) -> NDArray[np.float64]:
        return np.array([[row[key] for row in rows] for rows in each])

    macs, synaptic, updates = (float(values(key).mean()) for key in ("macs", "synaptic", "updates"))
    mean = Operations(macs, synaptic, updates, int(each[0][0]["weight_bits"]))
    figures = {key: over_seeds(values(key)) for key in _ERRORS}
    return {"config": None if config is None else asdict(config), **figures, **told(mean)}


_ERRORS = ("median_deg", "mean_deg", "slipped_deg", "paired_deg")


def over_seeds(each: NDArray[np.float64]) -> dict[str, Any]:
    """(seeds, models) figures as "mean", "sd" over seeds of users of the models' mean, and "sd_models" over
    models of the seeds' mean; an SD of one is None."""

    def sd(values: NDArray[np.float64]) -> float | None:
        return round(float(values.std(ddof=1)), 4) if len(values) > 1 else None

    return {
        "mean": round(float(each.mean()), 4),
        "sd": sd(each.mean(axis=1)),
        "sd_models": sd(each.mean(axis=0)),
        "each": each.round(4).tolist(),
    }


def on_microcontroller(
    subject: Subject, model: Path, configs: dict[str, SpikingConfig]
) -> dict[str, Any] | None:
    """A Cortex-M4's instructions, time and energy by spikes and in int8; None where it cannot be emulated.

    By spikes: all time steps as counted, and for the first layer's currents that layer's share of the
    multiplications of the int8 inference. So a little of normalisation and head, which both need, is missing.
    """
    from psog.firmware_export.budget import measure_budget
    from psog.firmware_export.estimate import estimate
    from psog.firmware_export.image_file import load_image
    from psog.firmware_export.spikes import measure_spikes
    from psog.net.embedding import personal
    from psog.net.spiking.conversion import convert

    board, net, scales = "mps2-an386", subject.nets[subject.first], subject.scales[subject.first]
    rate_hz = subject.headset.rate_hz

    def row(steps: int | None, instructions: float, cycles: float) -> dict[str, Any]:
        budget = {"instructions": round(instructions), "cycles_estimated": round(cycles)}
        cost = estimate(board, budget, rate_hz)
        assert cost is not None
        kept = {key: cost[key] for key in ("time_us", "share_of_period", "energy_uj")}
        return {"timesteps": steps, **budget, **kept}

    try:
        int8 = measure_budget(board, load_image(model), readings=4)
        user = subject.choosing(1)
        wire, gaze_deg = user.wire[0], user.gaze_deg[0]
        own = personal(net, wire[0], gaze_deg[0])
        x = own.input(wire[1, :: max(1, len(wire[1]) // 4)])
        share = net.layers[0].macs(net.layer_shapes()[0]) / net.macs
        rows = [row(None, int8["instructions"], int8["cycles_estimated"])]
        for config in configs.values():
            found = measure_spikes(board, convert(own, scales, config), x, config.timesteps)
            assert found.cycles is not None
            rows.append(
                row(
                    config.timesteps,
                    found.instructions.mean() + share * int8["instructions"],
                    found.cycles.mean() + share * int8["cycles_estimated"],
                )
            )
    except ToolchainError:
        return None
    part = estimate(board, int8, rate_hz)
    assert part is not None
    about = {key: part[key] for key in ("part", "core", "clock_mhz", "energy_source")}
    return {**about, "board": board, "rate_hz": rate_hz, "readings": len(x), "rows": rows}
