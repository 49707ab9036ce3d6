"""`psog bench electronics`: SNR, photocurrent and light on the eye, by LED current."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from psog.headset import Headset


@dataclass(frozen=True)
class Row:
    """One headset at one LED current, in one ambient light.

    Attributes:
        snr: of each sensor, for the nominal eye.
        photocurrent_na: of each sensor, likewise.
        corneal_w_m2: what eye safety judges.
    """

    led_current_ma: float
    ambient: str
    snr: tuple[float, ...]
    photocurrent_na: tuple[float, ...]
    corneal_w_m2: float


@dataclass(frozen=True)
class Command:
    """What follows from the parts of a headset and its LED current: signal to noise and light on the eye."""

    headset: Annotated[str, tyro.conf.Positional]
    """A TOML file of a headset with [parts], [drive] and [amplifier]."""
    current_ma: tuple[float, ...] = (5.0, 10.0, 20.0, 50.0)
    """LED currents to try; the eye's limit does not stop this command."""
    ambient: tuple[str, ...] = ("dark", "indoor", "sun")
    """Ambient light to try."""
    json: bool = False
    """Print the rows as one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from psog.headset import load_headset

        headset = load_headset(self.headset)
        rows = measure(headset, self.current_ma, self.ambient)
        if self.json:
            import json

            print(json.dumps({"headset": headset.name, "rows": [asdict(row) for row in rows]}))
        else:
            _print(headset.name, rows)


def measure(headset: Headset, currents_ma: tuple[float, ...], ambients: tuple[str, ...]) -> tuple[Row, ...]:
    """One row for each LED current and ambient light.

    Raises:
        HeadsetError: a current that the emitter does not bear.
        SimulationError: a headset without parts, or an unknown ambient light.
    """
    from psog.sim.ambient import ambient_light
    from psog.sim.electronics import NOMINAL_READING, gains, signal_to_noise
    from psog.sim.photocurrent import photocurrent
    from psog.sim.safety import corneal_exposure

    photocurrent(headset)
    nominal = NOMINAL_READING * headset.adc.full_scale / gains(headset).astype(float)
    rows = []
    for current_ma in currents_ma:
        driven = headset.with_led_current(current_ma)
        exposure = corneal_exposure(driven)
        assert exposure is not None  # the current is known
        amperes = nominal * photocurrent(driven).signal_a_per_unit
        for name in ambients:
            snr = signal_to_noise(driven, ambient_light(name))
            rows.append(
                Row(
                    current_ma,
                    name,
                    tuple(round(float(value), 1) for value in snr),
                    tuple(round(float(value) * 1e9, 2) for value in amperes),
                    round(exposure.greatest_w_m2, 2),
                )
            )
    return tuple(rows)


def _print(name: str, rows: tuple[Row, ...]) -> None:
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    table = Table(title=name)
    for title in ("LED / mA", "ambient", "photocurrent / nA", "SNR, worst", "median", "best", "eye / W/m²"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            f"{row.led_current_ma:g}",
            row.ambient,
            f"{min(row.photocurrent_na):.0f} to {max(row.photocurrent_na):.0f}",
            *(f"{value:.0f}" for value in np.quantile(row.snr, [0, 0.5, 1])),
            f"{row.corneal_w_m2:.1f}",
        )
    Console().print(table)
