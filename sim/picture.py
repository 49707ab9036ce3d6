"""Pictures: a headset around a simulated eye, and what its sensors read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim.anatomy import SKIN_RADIUS_MM
from psog.sim.effects import Effects
from psog.sim.figures import BLUE, INK, RED, new_figure, save
from psog.sim.live import LiveEye
from psog.sim.movement import EyeSamples
from psog.sim.population import Users, draw_users
from psog.sim.raster import brightness, rasterize
from psog.sim.render import pose_rows
from psog.sim.safety import LIMIT_W_M2, WARN_W_M2, corneal_exposure
from psog.sim.state import eye_states
from psog.sim.streams import derived_seed
from psog.sim.surfaces import eye_shapes
from psog.sim.tasks import viewer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAZES_DEG = ((0.0, 0.0), (-15.0, 0.0), (15.0, 0.0), (0.0, 12.0), (0.0, -15.0), (0.0, 0.0))
"""Gaze of the eyes that are drawn; the last is half way through a blink."""
OPENNESS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.35)
SECONDS = 6.0
_STEP_MM = 0.1
_GAMMA = 1.6
_SMALL_HALF_MM = 15.0


def draw_headset(headset: Headset, path: Path, *, seed: int = 0) -> None:
    """Draw a user's eye with the sensors around it, the eye in some states, and some seconds of signals.

    Args:
        path: of the picture; its suffix (.png, .svg, .pdf) says which kind.
        seed: of the user and of the eye movement.
    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    users = draw_users(1, derived_seed(seed, "picture"))
    figure = new_figure((13, 9))
    upper, lower = cast("NDArray[Any]", figure.subfigures(2, 1, height_ratios=(1.25, 1)))
    wide, eyes = upper.subfigures(1, 2, width_ratios=(1, 1.15))
    front = wide.subplots()
    _draw_front(front, headset, users)
    draw_exposure(front, headset)
    wide.suptitle(f"{headset.name}: {headset.description}", color=INK)
    for axes, gaze, openness in zip(eyes.subplots(2, 3).flat, GAZES_DEG, OPENNESS, strict=True):
        _draw_eye(axes, headset, users, (gaze, openness))
    eyes.suptitle("the same eye in other states", color=INK)
    _draw_signals(lower.subplots(2, 1, sharex=True, height_ratios=(1, 2.2)), headset, users, seed)
    save(figure, path)


def _draw_front(axes: Axes, headset: Headset, users: Users) -> None:
    """The eye straight ahead as seen from in front, with every emitter and detector and where it aims."""
    reach = 1.08 * max(
        SKIN_RADIUS_MM,
        *(max(abs(part[0]), abs(part[1])) for s in headset.sensors for part in (s.detector_mm, s.emitter_mm)),
    )
    _show(axes, headset, users, GAZES_DEG[0], 1.0, half_mm=min(reach, SKIN_RADIUS_MM))
    for index, sensor in enumerate(headset.sensors):
        detector, aim, emitter = sensor.detector_mm, sensor.detector_aim_mm, sensor.emitter_mm
        axes.plot([detector[0], aim[0]], [detector[1], aim[1]], color=BLUE, lw=0.8, alpha=0.7)
        axes.plot(detector[0], detector[1], "o", ms=11, color=BLUE, mec="white")
        axes.plot(emitter[0], emitter[1], "*", ms=9, color=RED, mec="white", mew=0.5)
        axes.text(detector[0], detector[1], str(index), color="white", size=6, ha="center", va="center")
    axes.plot([], [], "o", color=BLUE, label="detector and what it looks at")
    axes.plot([], [], "*", color=RED, label="emitter")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.2), ncols=2, frameon=False, fontsize=8)
    axes.set_xlim(reach, -reach)
    axes.set_ylim(-reach, reach)
    axes.set_xlabel("x / mm (wearer's right is on the left, as seen from in front)", fontsize=8)
    axes.set_ylabel("y / mm", fontsize=8)
    axes.tick_params(labelsize=7, color="#9aa4ae")
    axes.spines[:].set_color("#c9ced4")


def draw_exposure(axes: Axes, headset: Headset) -> None:
    """How much light reaches the cornea, and where most, if the LED current is known."""
    exposure = corneal_exposure(headset)
    if exposure is None:
        return
    axes.plot(exposure.worst_mm[0], exposure.worst_mm[1], "x", ms=8, mew=2, color=RED)
    words = f"at most {exposure.greatest_w_m2:.1f} W/m² on the cornea (×), limit {LIMIT_W_M2:.0f}"
    axes.set_title(words, fontsize=9, color=RED if exposure.greatest_w_m2 > WARN_W_M2 else INK)


def _draw_eye(axes: Axes, headset: Headset, users: Users, state: tuple[tuple[float, float], float]) -> None:
    gaze, openness = state
    _show(axes, headset, users, gaze, openness, half_mm=_SMALL_HALF_MM)
    axes.set_xlim(_SMALL_HALF_MM, -_SMALL_HALF_MM)
    axes.set_ylim(-0.85 * _SMALL_HALF_MM, 0.85 * _SMALL_HALF_MM)
    axes.set_axis_off()
    ways = [f"{abs(gaze[0]):.0f}° {'right' if gaze[0] > 0 else 'left'}"] if gaze[0] else []
    ways += [f"{abs(gaze[1]):.0f}° {'up' if gaze[1] > 0 else 'down'}"] if gaze[1] else []
    words = ", ".join(ways) or "straight ahead"
    if openness < 1:
        words = "in a blink"
    axes.set_title(words, fontsize=9, color=INK)


def _show(
    axes: Axes,
    headset: Headset,
    users: Users,
    gaze_deg: tuple[float, float],
    openness: float,
    *,
    half_mm: float,
) -> None:
    """The scene's brightness, nominal pose, mirrored as one sees a face."""
    states = eye_states(
        users,
        roll_deg=np.zeros(1),
        gaze_deg=np.array([[gaze_deg]]),
        openness=np.full((1, 1), openness),
        pupil_mm=users.pupil_mm[:, None],
        lid_offset_mm=np.zeros((1, 1, 2)),
    )
    eye = eye_shapes(users, Effects())[0]
    raster = rasterize(eye, states[0, 0], half_mm=half_mm, step_mm=_STEP_MM)
    light = brightness(raster, headset, eye, pose_rows(np.zeros((1, 3)), np.zeros(1))[0])
    shown = np.clip(light / np.quantile(light, 0.995), 0, 1) ** (1 / _GAMMA)
    shown[raster.x_mm**2 + raster.y_mm**2 > SKIN_RADIUS_MM**2] = np.nan
    extent = (-half_mm, half_mm, -half_mm, half_mm)
    axes.imshow(shown, cmap="gray", origin="lower", extent=extent, vmin=0, vmax=1, interpolation="bilinear")


def _draw_signals(axes: NDArray[Any], headset: Headset, users: Users, seed: int) -> None:
    """Gaze above, readings below, of some seconds of looking around."""
    side = float(users.side[0])
    eye = viewer("viewing", headset.rate_hz, headset.field_deg, derived_seed(seed, "picture"), side=side)
    samples = eye.advance(round(SECONDS * headset.rate_hz))
    readings = LiveEye(headset, users, 0, seed).read(samples.gaze_deg, samples.openness)
    t = np.arange(len(readings)) / headset.rate_hz
    _draw_gaze(axes[0], t, samples)
    colours = _colours(headset.sensor_count)
    for s in range(headset.sensor_count):
        axes[1].plot(t, readings[:, s], lw=0.8, color=colours[s])
    axes[1].set_ylabel("reading / counts")
    axes[1].set_xlabel("time / s")
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.margins(x=0)


def _draw_gaze(axes: Axes, t: NDArray[np.floating], samples: EyeSamples) -> None:
    axes.plot(t, samples.gaze_deg[:, 0], color=INK, lw=1.2, label="horizontal")
    axes.plot(t, samples.gaze_deg[:, 1], color=RED, lw=1.2, label="vertical")
    low, high = axes.get_ylim()
    axes.fill_between(t, low, high, where=samples.openness < 1, color="#c9ced4", lw=0, label="blink")
    axes.set_ylim(low, high)
    axes.set_ylabel("gaze / °")
    axes.legend(loc="upper right", ncols=3, frameon=False, fontsize=8)


def _colours(count: int) -> NDArray[np.floating]:
    from matplotlib import colormaps

    return np.asarray(colormaps["twilight_shifted"](np.linspace(0.08, 0.92, count)))
