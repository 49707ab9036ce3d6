"""A gallery: eyes in many states, and over each what the sensors read of it against the nominal eye."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim.anatomy import PUPIL_MM, SKIN_RADIUS_MM
from psog.sim.effects import Effects
from psog.sim.electronics import gains
from psog.sim.figures import new_figure, save
from psog.sim.population import Users, draw_users, nominal_user
from psog.sim.raster import brightness, rasterize
from psog.sim.render import Optics, pose_rows, render
from psog.sim.state import eye_states
from psog.sim.surfaces import eye_shapes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEP_MM = 0.15
_GAMMA = 1.6
_LARGEST_CHANGE = 0.3
"""Of a reading against the nominal one that the colours reach to."""
_OTHERS_SEED = 11


@dataclass(frozen=True)
class View:
    """One eye, one headset's fit, one instant."""

    title: str
    gaze_deg: tuple[float, float] = (0.0, 0.0)
    openness: float = 1.0
    pupil_mm: float = PUPIL_MM
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    user: int | None = None
    """Of some drawn users; the nominal one unless given."""


VIEWS = (
    View("straight ahead"),
    View("15° to the wearer's left", (-15.0, 0.0)),
    View("15° to the right", (15.0, 0.0)),
    View("15° up", (0.0, 15.0)),
    View("15° down: the lid follows", (0.0, -15.0)),
    View("a pupil of 2 mm", pupil_mm=2.0),
    View("a pupil of 7 mm", pupil_mm=7.0),
    View("half way through a blink", openness=0.4),
    View("a shut lid", openness=0.0),
    View("headset 1 mm too low", shift_mm=(0.0, -1.0, 0.0)),
    View("headset 2 mm to the right", shift_mm=(2.0, 0.0, 0.0)),
    View("headset 2 mm closer", shift_mm=(0.0, 0.0, -2.0)),
    View("somebody else", user=0),
    View("and somebody else", user=1),
    View("and one more", user=2),
)


def draw_gallery(headset: Headset, path: Path) -> None:
    """Draw VIEWS: the eye as a camera in front sees it under all emitters, and a dot for each detector.

    Blue dots read less, red ones more than of the nominal eye straight ahead.

    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    figure = new_figure((13, 8.4))
    nominal = readings(headset, VIEWS[0])
    dots = None
    for axes, view in zip(figure.subplots(3, 5).flat, VIEWS, strict=True):
        _draw_eye(axes, headset, view)
        change = readings(headset, view) / nominal - 1
        at = np.array([sensor.detector_mm for sensor in headset.sensors])
        dots = axes.scatter(
            at[:, 0],
            at[:, 1],
            c=change,
            s=70,
            cmap="RdBu_r",
            vmin=-_LARGEST_CHANGE,
            vmax=_LARGEST_CHANGE,
            edgecolors="white",
            linewidths=0.8,
        )
        axes.set_title(view.title, fontsize=9)
    assert dots is not None  # there are views
    bar = figure.colorbar(dots, ax=figure.axes, shrink=0.5, aspect=40, pad=0.01)
    bar.set_label("reading against the first picture")
    bar.ax.yaxis.set_major_formatter("{x:+.0%}")
    figure.suptitle(f"{headset.name}: what the eye does, and what the sensors read", fontsize=12)
    save(figure, path)


def readings(headset: Headset, view: View) -> NDArray[np.float32]:
    """(sensors,) counts without noise."""
    user, states, pose = _scene(view)
    return np.asarray(render(Optics(headset), user, pose, states)[0, 0] * gains(headset))


def _scene(view: View) -> tuple[Users, NDArray[np.float32], NDArray[np.float32]]:
    user = nominal_user() if view.user is None else draw_users(1, _OTHERS_SEED, first=view.user)
    states = eye_states(
        user,
        roll_deg=np.zeros(1),
        gaze_deg=np.array([[view.gaze_deg]]),
        openness=np.full((1, 1), view.openness),
        pupil_mm=np.full((1, 1), view.pupil_mm),
        lid_offset_mm=np.zeros((1, 1, 2)),
    )
    return user, states, pose_rows(np.array([view.shift_mm]), np.zeros(1))


def _draw_eye(axes: Axes, headset: Headset, view: View) -> None:
    """In headset axes, mirrored as one sees a face."""
    user, states, pose = _scene(view)
    eye = eye_shapes(user, Effects())[0]
    raster = rasterize(eye, states[0, 0], half_mm=SKIN_RADIUS_MM, step_mm=_STEP_MM)
    light = brightness(raster, headset, eye, pose[0])
    shown: NDArray[Any] = np.clip(light / np.quantile(light, 0.995), 0, 1) ** (1 / _GAMMA)
    shown[raster.x_mm**2 + raster.y_mm**2 > SKIN_RADIUS_MM**2] = np.nan
    x, y = -view.shift_mm[0], -view.shift_mm[1]
    extent = (x - SKIN_RADIUS_MM, x + SKIN_RADIUS_MM, y - SKIN_RADIUS_MM, y + SKIN_RADIUS_MM)
    axes.imshow(shown, cmap="gray", origin="lower", extent=extent, vmin=0, vmax=1, interpolation="bilinear")
    axes.set_xlim(SKIN_RADIUS_MM, -SKIN_RADIUS_MM)
    axes.set_ylim(-0.8 * SKIN_RADIUS_MM, 0.8 * SKIN_RADIUS_MM)
    axes.set_axis_off()
