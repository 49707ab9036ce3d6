"""`psog spike`: a model as a spiking network, its error and its energy beside int8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tyro.conf import Positional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.net.spiking.conversion import SpikingConfig
    from psog.net.spiking.study import Wearers

SCALE_USERS = 40
"""Whose activations tell the weights' scales."""


@dataclass(frozen=True)
class Command:
    """Convert a trained model to spikes, and say what it costs and how far it looks beside its int8 form.

    Errors are those of simulated users the model has never seen, after nine calibration points, on features
    that spikes made. On a microcontroller the int8 network is the better one; see docs/spiking.md.
    """

    model: Positional[Path]
    """Folder that psog train wrote, or the name of a model that comes with psog."""
    out: Path
    """Folder to write: spiking.json, spiking.safetensors and report.json."""
    timesteps: int = 64
    """Time steps of an inference, 1 to 1024."""
    threshold: float = 1.0
    """Of all neurons; 1 lets a spike in every step stand for the 99.9th percentile of activations."""
    weight_bits: int = 8
    """Of the weights that spikes meet, 2 to 8."""
    leak_shift: int = 0
    """k of a leak of 1/2^k of the membrane in every step; 0 is none."""
    reset: Literal["subtract", "zero"] = "subtract"
    """What a spike does to its membrane: less the threshold, or back to zero."""
    nir: bool = False
    """Write gaze.nir too, for simulators and neuromorphic chips."""
    users: int = 40
    """Unseen users to test on."""
    seed: int = 0
    """Of all simulated users."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    force: bool = False
    """Replace a folder that psog spike wrote."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.headset import load_headset
        from psog.net.spiking.conversion import SpikingConfig, convert
        from psog.net.spiking.files import FOLDER, save_spiking
        from psog.net.spiking.nir_graph import check_can_write_nir
        from psog.net.store import load_model

        config = SpikingConfig(
            timesteps=self.timesteps,
            threshold=self.threshold,
            weight_bits=self.weight_bits,
            leak_shift=self.leak_shift,
            reset=self.reset,
        )
        FOLDER.check_free(self.out, force=self.force)
        if self.nir:
            check_can_write_nir()
        net = load_model(self.model).net
        headset = load_headset(self.headset or net.headset)
        torch.set_num_threads(1)
        console = Console(stderr=True)
        with console.status(f"simulating {SCALE_USERS} and {self.users} users"):
            scales = wearers(net, headset, SCALE_USERS, self.seed, purpose="spiking scales").scales(net)
            unseen = wearers(net, headset, self.users, self.seed, purpose="spiking")
        with console.status(f"{self.users} users by spikes"):
            report = compared(net, scales, config, unseen)
        report |= {"model": str(self.model), "headset": net.headset, "users": self.users, "seed": self.seed}
        save_spiking(
            self.out,
            convert(net, scales, config),
            config,
            report,
            headset=net.headset,
            nir=self.nir,
            force=self.force,
        )
        if self.json:
            print(json.dumps(report, allow_nan=False))
        else:
            _print(report)
        console.print(f"spiking network in {self.out}", soft_wrap=True)


def wearers(
    net: IntegerNet,
    headset: Headset,
    users: int,
    seed: int,
    *,
    purpose: str,
    slips_mm: Sequence[float] = (0.0,),
) -> Wearers:
    """Simulated users who calibrate at nine points and look around after slips.

    Args:
        purpose: users of one are never those of another.
    Raises:
        ModelError: the model is for another headset.
        SimulationError: fewer than one user.
    """
    from psog.errors import ModelError
    from psog.net.spiking.study import Wearers
    from psog.sim.episodes import make_test_episodes
    from psog.sim.streams import derived_seed

    if net.headset != headset.name:
        raise ModelError(
            f"cannot convert to spikes: the model is for headset {net.headset!r}, expected {headset.name!r}"
        )
    own_seed = derived_seed(seed, purpose)
    episodes = make_test_episodes(headset, users=users, seed=own_seed, slips_mm=slips_mm)
    return Wearers.of(episodes, headset, own_seed)


def compared(net: IntegerNet, scales: Any, config: SpikingConfig, unseen: Wearers) -> dict[str, Any]:
    """Error and operations of the spiking network, after fewer steps too, beside the int8 network's.

    Returns:
        JSON types: "config"; "int8" and, in "spiking", for each number of steps "median_deg" and "mean_deg"
        over users, the mean of their differences to int8 ("paired_deg"), and operations with their energy
        (psog.net.spiking.energy); of "int8" also "without_zeros".
    """
    from dataclasses import asdict

    import numpy as np

    from psog.net.spiking.energy import told
    from psog.net.spiking.study import by_int8, by_spikes

    def figures(error_deg: Any) -> dict[str, float]:
        spread = {"median_deg": np.median(error_deg), "mean_deg": error_deg.mean()}
        return {name: round(float(value), 4) for name, value in spread.items()}

    steps = [2**k for k in range(2, 11) if 2**k < config.timesteps] + [config.timesteps]
    reference = by_int8(net, unseen)
    int8_deg = reference.error_deg[:, 0]
    rows = []
    for count, outcome in zip(steps, by_spikes(net, scales, config, unseen, steps), strict=True):
        error_deg = outcome.error_deg[:, 0]
        paired = round(float((error_deg - int8_deg).mean()), 4)
        rows.append(
            {"timesteps": count, **figures(error_deg), "paired_deg": paired, **told(outcome.operations)}
        )
    return {
        "config": asdict(config),
        "int8": {
            **figures(int8_deg),
            **told(reference.operations),
            "without_zeros": told(reference.without_zeros),
        },
        "spiking": rows,
    }


def _print(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{report['users']} unseen users after 9 points (seed {report['seed']}); energy of operations, "
        "nJ"
    )
    columns = ("", "median °", "paired", "operations", "float32", "integer", "with memory", "Loihi")
    for name in columns:
        table.add_column(name, justify="right" if name else "left")
    zeros = {**report["int8"], **report["int8"]["without_zeros"]}
    rows = {"int8": report["int8"], "zeros left out": zeros}
    rows |= {f"{row['timesteps']} steps": row for row in report["spiking"]}
    for name, row in rows.items():
        operations = row["macs"] + row["synaptic"] + row["updates"]
        energies = [row["float_nj"], row["integer_nj"], row["integer_nj"] + row["memory_nj"]]
        energies += [row["loihi_nj"]] if "timesteps" in row else []
        paired = f"{row['paired_deg']:+.2f}" if "paired_deg" in row else ""
        cells = [f"{row['median_deg']:.2f}", paired, f"{operations:,.0f}"]
        table.add_row(name, *cells, *(f"{nj:,.1f}" for nj in energies))
    Console().print(table)
