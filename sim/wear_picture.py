"""How headsets move on heads, and how pupils answer to light, as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from psog.sim.figures import INK, label, new_figure, save
from psog.sim.pupil import Pupil
from psog.sim.slippage import MOTIONS, Motion, Slippage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Hours = NDArray[np.float64]
"""(users, n, 4) shift x, y, z (mm) and roll (degrees) since the headset was put on."""

GLASSES_MM = (0.26, 4.05)
"""Task means of slippage (Niehorster et al. 2020 and later)."""
LIGHT_CD_M2 = (3.0, 100.0)
"""The step of light in the picture: up, and later down again."""
_COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#7d6608")
_NAMES = ("x (right)", "y (up)", "z (forward)", "roll")


@dataclass(frozen=True)
class WornFor:
    """Headsets worn for a while.

    Attributes:
        t_min: (n,) minutes since they were put on.
        fits: of each motion that moves.
    """

    t_min: NDArray[np.float64]
    fits: dict[str, Hours]


def worn_for(seconds: float, rate_hz: float, users: int, seed: int) -> WornFor:
    """Every motion but "fixed", for so long and so many users."""
    count = round(seconds * rate_hz)
    fits = {
        name: np.stack([Slippage(motion, seed, k, rate_hz).advance(count).fits for k in range(users)])
        for name, motion in MOTIONS.items()
        if name != "fixed"
    }
    return WornFor(np.arange(count) / rate_hz / 60, fits)


def draw_wear(worn: WornFor, path: Path, seed: int) -> None:
    """One user's fits over time for each motion; below, all users' distances, some events, a pupil.

    Args:
        path: of the picture, .png.
    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    figure = new_figure((13, 7.4))
    axes = figure.subplots(2, 3)
    reach = max(float(np.abs(fits[0]).max()) for fits in worn.fits.values()) * 1.05
    for place, (name, fits) in zip(axes[0], worn.fits.items(), strict=True):
        _draw_fits(place, worn.t_min, fits[0])
        label(place, f"wear {name}, one user", "minutes", "mm, degrees")
        place.set_ylim(-reach, reach)
    axes[0, 0].legend(fontsize=8, loc="upper left", ncols=2, frameon=False)
    _draw_distances(axes[1, 0], worn)
    _draw_events(axes[1, 1], seed)
    _draw_pupil(axes[1, 2], seed)
    save(figure, path)


def _draw_fits(place: Axes, t: NDArray[np.float64], fits: NDArray[np.float64]) -> None:
    for k in range(4):
        place.plot(t, fits[:, k], color=_COLOURS[k], lw=0.9, label=_NAMES[k], ls="--" if k == 3 else "-")


def _draw_distances(place: Axes, worn: WornFor) -> None:
    place.axhspan(*GLASSES_MM, color="#f2f3f4", label="glasses, means of tasks")
    for colour, (name, fits) in zip(_COLOURS, worn.fits.items(), strict=False):
        low, middle, high = np.quantile(np.linalg.norm(fits[..., :3], axis=-1), [0.05, 0.5, 0.95], axis=0)
        place.fill_between(worn.t_min, low, high, color=colour, alpha=0.2, lw=0)
        place.plot(worn.t_min, middle, color=colour, lw=1, label=name)
    place.set_ylim(0, None)
    place.legend(fontsize=8, loc="upper left", frameon=False)
    users = len(next(iter(worn.fits.values())))
    label(place, f"distance from where it was put on, {users} users (5 to 95 %)", "minutes", "mm")


def _draw_events(place: Axes, seed: int) -> None:
    """Jolts and expressions, so frequent that some seconds show both."""
    active = MOTIONS["active"]
    motion = Motion(0, 900, active.jolt_mm, 30, active.expression_mm)
    slip = Slippage(motion, seed, 0, 1000.0).advance(10_000)
    t = np.arange(10_000) / 1000
    _draw_fits(place, t, slip.fits)
    for k, name in enumerate(("upper lid", "lower lid")):
        place.plot(t, slip.lid_offset_mm[:, k], color=INK, lw=0.8, ls=("-.", ":")[k], label=name)
    place.legend(place.get_lines()[4:], ["upper lid", "lower lid"], fontsize=8, frameon=False)
    label(place, "jolts and facial expressions, close together", "seconds", "mm, degrees")


def _draw_pupil(place: Axes, seed: int) -> None:
    rate_hz, dim, bright = 100.0, *LIGHT_CD_M2
    t = np.arange(0, 12, 1 / rate_hz)
    light = np.where((t >= 2) & (t < 6), bright, dim)
    for k, (colour, mean_mm) in enumerate(zip(_COLOURS, (3.2, 4.0, 4.8), strict=False)):
        eye = Pupil(seed, k, rate_hz, mean_mm)
        eye.settle(mean_mm, dim)
        place.plot(t, eye.advance(len(t), light), color=colour, lw=1)
    place.axvspan(2, 6, color="#fcf3cf", zorder=0)
    label(place, f"pupils at {dim:g}, {bright:g}, {dim:g} cd/m², three users", "seconds", "diameter / mm")
