"""Scenes for the simulator's tests."""

from dataclasses import replace

import numpy as np

from psog.headset import Headset, Lobes
from psog.sim.population import Users, nominal_user
from psog.sim.render import FIRST_ORDER, Effects, Optics, Quadrature, pose_rows, render
from psog.sim.state import eye_states


def states(users: Users, gaze_deg, *, openness=1.0, pupil_mm=4.0, roll_deg=0.0):
    """(users, n, 6) for the same n gazes of every user."""
    gaze = np.broadcast_to(np.asarray(gaze_deg, dtype=float), (users.count, len(gaze_deg), 2))
    shape = gaze.shape[:2]
    return eye_states(
        users,
        roll_deg=np.full(users.count, roll_deg),
        gaze_deg=gaze,
        openness=np.full(shape, openness),
        pupil_mm=np.full(shape, pupil_mm),
        lid_offset_mm=np.zeros((*shape, 2)),
    )


def irradiance(
    headset: Headset,
    gaze_deg,
    *,
    users: Users | None = None,
    shift_mm=(0.0, 0.0, 0.0),
    roll_deg=0.0,
    quadrature: Quadrature | None = None,
    effects: Effects = FIRST_ORDER,
    tables: bool | None = None,
    **state,
):
    """(n, sensors) of one user, the nominal one unless given."""
    user = users or nominal_user()
    pose = pose_rows(np.array([shift_mm], dtype=float), np.array([roll_deg]))
    rows = states(user, gaze_deg, roll_deg=roll_deg, **state)
    return render(Optics(headset, quadrature, effects), user, pose, rows, tables=tables)[0]


def moved(headset: Headset, change) -> Headset:
    """The headset with every point of every sensor put through `change`."""
    sensors = tuple(
        sensor.model_copy(update={name: tuple(map(float, change(np.array(point)))) for name, point in sensor})
        for sensor in headset.sensors
    )
    return headset.model_copy(update={"sensors": sensors})


def with_lobes(headset: Headset, detector: float, emitter: float) -> Headset:
    """The headset with other exponents."""
    return headset.model_copy(
        update={"lobes": Lobes(detector_exponent=detector, emitter_exponent=emitter), "parts": None}
    )


def painted(users: Users, reflectance: float) -> Users:
    """The users with everything of one reflectance; 0 leaves the glint alone."""
    flat = np.full(users.count, reflectance)
    return replace(users, sclera=flat, iris=flat, pupil=flat, skin=flat)
