"""A design has a lower bound, can be built, and is a headset like any other."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from psog.cli.main import main
from psog.errors import HeadsetError, SimulationError
from psog.headset import load_headset
from psog.headset_file import headset_toml
from psog.sim.bound.survey import survey
from psog.sim.design.improve import improve
from psog.sim.design.layout import checked, points_of, with_points, without_sensors
from psog.sim.design.limits import Limits, faults, into_room, room_of
from psog.sim.design.objective import Aim, Objective
from psog.sim.design.thin import most_useful
from psog.sim.quadrature import Quadrature

RING, GRID = load_headset("ring16"), load_headset("grid15")
PARTS_FILE = Path(__file__).parents[2] / "docs/examples/ring16_parts.toml"
COARSE = Quadrature(8, 17, 16, 3, 12, 5, 2, 3, 2)
TINY = Quadrature(4, 9, 8, 2, 6, 3, 2, 2, 2)
"""For what holds however finely the scene is integrated."""


pytestmark = pytest.mark.usefixtures("one_thread")


def shaken(headset, far_mm, seed=3):
    random = torch.Generator().manual_seed(seed)
    points = points_of(headset)
    return points + far_mm * torch.randn(points.shape, generator=random, dtype=points.dtype)


@pytest.mark.parametrize("headset", [RING, GRID, load_headset(PARTS_FILE)], ids=lambda h: h.name)
def test_a_headset_survives_being_written(tmp_path, headset):
    path = tmp_path / "again.toml"
    path.write_text(headset_toml(headset), "utf-8")
    assert load_headset(path) == headset


def test_parts_of_one_s_own_are_written_out(tmp_path):
    headset = load_headset(PARTS_FILE)
    own = headset.parts.detector.model_copy(update={"area_mm2": 3.3, "description": 'a "large" one'})
    changed = checked(headset, parts=headset.parts.model_copy(update={"detector": own}))
    path = tmp_path / "again.toml"
    path.write_text(headset_toml(changed), "utf-8")
    assert load_headset(path) == changed


@pytest.mark.parametrize("headset", [RING, GRID], ids=lambda h: h.name)
@pytest.mark.parametrize("far_mm", [0.3, 3.0])
def test_what_is_put_into_the_room_can_be_built(headset, far_mm):
    room = room_of(headset, Limits())
    assert faults(headset, room) == []
    points = into_room(shaken(headset, far_mm), room)
    assert faults(with_points(headset, points), room) == []
    assert float((points - points_of(headset)).abs().max()) > 0.2


def test_every_limit_is_looked_at():
    room = room_of(RING, Limits())

    def told(change, limits=room):
        points = points_of(RING)
        change(points)
        return faults(with_points(RING, points), limits)

    def nearer(points):
        points[:, 0] *= 0.5

    def together(points):
        points[0, :, 1] = points[0, :, 0]

    def raised(points):
        points[0, 2, 0] += 1

    def askew(points):
        points[1, :2, 0] = torch.tensor([-8.0, 0.0])

    assert {"a part moved too far", "a part left the housing"} <= set(told(nearer))
    assert "two parts touch" in told(together)
    assert "a part left its plane" in told(raised)
    assert told(askew) == ["a part is tilted too far"]
    assert "a part looks past the eye" in told(lambda points: points[1].mul_(2.5))
    close = room._replace(limits=replace(room.limits, eye_mm=40.0))
    assert told(lambda points: None, close) == ["a part comes too close to the eye"]


def test_light_on_the_eye_is_limited():
    """The same design, with emitters as bright as a room allows a tenth of."""
    headset = load_headset(PARTS_FILE)
    room = room_of(headset, Limits())._replace(brightest_w_m2=0.1)
    assert [fault for fault in faults(headset, room) if "W/m² on the cornea" in fault]


def test_the_gradient_is_that_of_finite_differences():
    objective = Objective(RING, Aim(), gazes=2, quadrature=TINY)
    points = points_of(RING)
    _, gradient = objective.gradient(points, 0, 1)
    for index in ((0, 0, 3), (3, 1, 12)):
        step = torch.zeros_like(points)
        step[index] = 1e-5
        with torch.no_grad():
            above, below = (objective.mean(objective.scenes(points + s * step, 0, 1)) for s in (1, -1))
        assert float(gradient[index]) == pytest.approx(float(above - below) / 2e-5, rel=1e-3)


def test_a_layout_does_not_gain_by_seeing_less():
    """All parts twice as far away: the same noise on a quarter of the light and less."""
    objective = Objective(RING, Aim(), gazes=2, quadrature=TINY)
    away = points_of(RING)
    away[[0, 2]] += 2 * (away[[0, 2]] - away[[1, 3]])
    assert float(objective.light(away).max()) < 0.2
    with torch.no_grad():
        near, far = (objective.mean(objective.scenes(p, 0, 1)) for p in (points_of(RING), away))
    assert far > near


def test_improving_lowers_the_bound_of_other_users():
    aim = Aim()
    made = improve(RING, aim, Limits(), steps=3, users=2, step_mm=1.0, quadrature=COARSE)
    assert faults(made.after, room_of(RING, Limits())) == []
    question = replace(aim.question(2, 2, "others"), quadrature=COARSE)
    before, after = (survey(one, question).rms_deg("calibrated user", 0, 0)[0] for one in (RING, made.after))
    assert after < 0.95 * before
    assert made.light == pytest.approx(
        Objective(RING, aim, gazes=2, quadrature=COARSE).light(points_of(made.after))
    )


def test_the_sensor_that_is_left_out_is_one_that_hardly_counts():
    """One of a pair that sits in the same place, among sixteen."""
    points = points_of(RING)
    points[:, :, 5] = points[:, :, 4]
    kept = most_useful(with_points(RING, points), Aim(), 15, quadrature=TINY)
    assert len(kept) == 15
    assert ({4, 5} - set(kept)) != set()
    with pytest.raises(SimulationError, match="17 sensors; expected 1 to 16"):
        most_useful(RING, Aim(), 17)


def test_fewer_sensors_keep_the_grid_and_its_neighbours():
    fewer = without_sensors(RING, [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    assert fewer.sensor_count == 14
    assert fewer.grid.shape == RING.grid.shape
    shown = fewer.sensors[fewer.grid[0, 3]]  # was sensor 5, between 3 and 6
    assert shown == RING.sensors[6]


def psog_design(*words):
    short = "--steps 1 --users 1 --verify-users 1"
    main(["design", "ring16", *short.split(), *map(str, words)])


def test_the_command_writes_a_headset_and_a_picture(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out, picture = tmp_path / "better.toml", tmp_path / "better.png"
    psog_design("--out", out, "--picture", picture, "--json", "--points", 1, "--sensors", 12)
    told = json.loads(capsys.readouterr().out)
    made = load_headset(out)
    assert (made.name, made.sensor_count, told["sensors"]) == ("better", 12, 12)
    assert told["after_deg"]["calibrated user"] > 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit, match="already exists"):
        psog_design("--out", out)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "better.json"], "ends in .toml"),
        (["--out", "Better one.toml"], "cannot name a headset 'Better one'"),
        (["--out", "better.toml", "--steps", "0"], "steps is 0"),
        (["--out", "better.toml", "--tilt-deg", "95"], "tilt_deg is 95"),
        (["--out", "better.toml", "--snr", "-1"], "SNR is -1"),
        (["--out", "better.toml", "--sensors", "0"], "with 0 sensors"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=says) as ended:
        psog_design(*words)
    assert "\n" not in str(ended.value)
    assert list(tmp_path.iterdir()) == []


def test_a_name_no_headset_can_have_is_refused():
    with pytest.raises((HeadsetError, ValueError), match="name"):
        checked(RING, name="Not A Name")
