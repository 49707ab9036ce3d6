"""What may be built: where parts may sit, how close together, how far tilted, how bright."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

from psog.errors import SafetyError, SimulationError
from psog.headset import Headset
from psog.sim import anatomy
from psog.sim.design.layout import PARTS, points_of
from psog.sim.safety import LIMIT_W_M2, WARN_W_M2, corneal_exposure

_SLACK_MM, _SLACK_DEG = 0.02, 0.2
"""Coordinates are rounded to 0.01 mm."""
_ROUNDS = 200


@dataclass(frozen=True)
class Limits:
    """What the housing allows. Parts slide over it: each keeps its z.

    Attributes:
        reach_mm: no part ends further from where it was.
        widen_mm: the outermost parts may move outwards by this; none comes further in than the innermost.
        spacing_mm: between the centres of any two parts, or what the closest pair has if that is less.
        tilt_deg: between a part's aim and straight ahead (-z), or what the most tilted has if that is more.
        aim_mm: no part aims at a point further from the z axis, or than it did if that is more. Beyond lie
            the face, which is generic, and its border at 25 mm, which is none.
        eye_mm: from every part to the apex of the cornea, or what the nearest has if that is less.
    """

    reach_mm: float = 6.0
    widen_mm: float = 2.0
    spacing_mm: float = 2.5
    tilt_deg: float = 60.0
    aim_mm: float = 13.0
    eye_mm: float = 12.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            most = 80.0 if item.name == "tilt_deg" else 100.0
            if not 0 <= value <= most:
                raise SimulationError(f"cannot design: {item.name} is {value}, expected 0 to {most:g}")


class Room(NamedTuple):
    """The limits of one headset, as tensors."""

    start: Tensor
    """(4, 3, sensors) where everything was."""
    semiaxes_mm: Tensor
    """(2,) of the ellipse about z in whose multiples radii are told."""
    inner: float
    outer: float
    """Radii, 1 on the ellipse."""
    limits: Limits
    """Widened to what the headset has already."""
    furthest_aim_mm: Tensor
    """(2 · sensors,) from the z axis."""
    brightest_w_m2: float
    """On the cornea."""


def room_of(headset: Headset, limits: Limits) -> Room:
    """What the limits mean for this headset."""
    start = points_of(headset)
    places = _places(start)
    semiaxes = _ellipse(places[:2])
    radius = _radius(places[:2], semiaxes)
    tightest = Limits(
        limits.reach_mm,
        limits.widen_mm,
        min(limits.spacing_mm, float(_distances(places).min())),
        max(limits.tilt_deg, float(_tilts_deg(start).max())),
        limits.aim_mm,
        min(limits.eye_mm, float(_to_apex(places).min())),
    )
    exposure = corneal_exposure(headset)
    return Room(
        start=start,
        semiaxes_mm=semiaxes,
        inner=float(radius.min()),
        outer=float(radius.max()) + limits.widen_mm / float(semiaxes.max()),
        limits=tightest,
        furthest_aim_mm=_lengths(_aims(start)).clamp_min(limits.aim_mm),
        brightest_w_m2=max(WARN_W_M2, exposure.greatest_w_m2) if exposure else LIMIT_W_M2,
    )


def into_room(points: Tensor, room: Room) -> Tensor:
    """The points moved as little as need be for `faults` to have nothing to say; z stays."""
    points = points.clone()
    points[:, 2] = room.start[:, 2]
    places, start = _places(points), _places(room.start)
    for _ in range(_ROUNDS):
        places = _apart(_within(places, start, room), room.limits.spacing_mm)
        if float(_distances(_within(places, start, room)).min()) >= room.limits.spacing_mm - _SLACK_MM / 2:
            break
    places = _within(places, start, room)
    count = points.shape[-1]
    most = room.furthest_aim_mm.view(2, count)
    for part, at, furthest in zip(PARTS, (places[:, :count], places[:, count:]), most, strict=True):
        aim = points[part + 1]
        aim[:2] *= (furthest / _lengths(aim[:2]).clamp_min(1e-9)).clamp_max(1)
        points[part] = at
        points[part + 1] = _tilted_within(at, aim, room.limits.tilt_deg)
    return points


def faults(headset: Headset, room: Room) -> list[str]:
    """What of the limits a headset breaks, in words."""
    points = points_of(headset)
    places, start = _places(points), _places(room.start)
    radius = _radius(places[:2], room.semiaxes_mm)
    slack = _SLACK_MM / float(room.semiaxes_mm.min())
    wrong = []
    if not torch.equal(points[:, 2], room.start[:, 2]):
        wrong.append("a part left its plane")
    if float(_lengths(places - start).max()) > room.limits.reach_mm + _SLACK_MM:
        wrong.append("a part moved too far")
    if float(radius.min()) < room.inner - slack or float(radius.max()) > room.outer + slack:
        wrong.append("a part left the housing")
    if float(_distances(places).min()) < room.limits.spacing_mm - _SLACK_MM:
        wrong.append("two parts touch")
    if float(_tilts_deg(points).max()) > room.limits.tilt_deg + _SLACK_DEG:
        wrong.append("a part is tilted too far")
    if float((_lengths(_aims(points)) - room.furthest_aim_mm).max()) > _SLACK_MM:
        wrong.append("a part looks past the eye")
    if float(_to_apex(places).min()) < room.limits.eye_mm - _SLACK_MM:
        wrong.append("a part comes too close to the eye")
    if (brightness := _brightness(headset)) > room.brightest_w_m2:
        wrong.append(f"{brightness:.0f} W/m² on the cornea")
    return wrong


def _brightness(headset: Headset) -> float:
    try:
        exposure = corneal_exposure(headset)
    except SafetyError:
        return float("inf")
    return exposure.greatest_w_m2 if exposure else 0.0


def _places(points: Tensor) -> Tensor:
    """(3, 2 · sensors) detectors, then emitters."""
    return torch.cat([points[part] for part in PARTS], -1)


def _aims(points: Tensor) -> Tensor:
    """(2, 2 · sensors) x and y of what detectors, then emitters aim at."""
    return torch.cat([points[part + 1, :2] for part in PARTS], -1)


def _ellipse(xy: Tensor) -> Tensor:
    """(2,) semiaxes of the ellipse about the origin that fits (2, n) places best; a circle if none does."""
    fit = torch.linalg.lstsq(xy.T**2, torch.ones(xy.shape[1], 1, dtype=xy.dtype)).solution[:, 0]
    if bool((fit > 0).all()):
        semiaxes: Tensor = fit**-0.5
        return semiaxes
    return _lengths(xy).max().clamp_min(1.0).expand(2).clone()


def _lengths(vectors: Tensor) -> Tensor:
    """(n,) of (k, n)."""
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=0)
    return lengths


def _radius(xy: Tensor, semiaxes: Tensor) -> Tensor:
    return _lengths(xy / semiaxes[:, None])


def _within(places: Tensor, start: Tensor, room: Room) -> Tensor:
    """Places (3, n) brought back into the ring and within reach, in turns, for both have to hold."""
    xy, origin = places[:2], start[:2]
    for _ in range(20):
        moved = xy - origin
        xy = origin + moved * (room.limits.reach_mm / _lengths(moved).clamp_min(1e-9)).clamp_max(1)
        radius = _radius(xy, room.semiaxes_mm).clamp_min(1e-9)
        xy = xy * (radius.clamp(room.inner, room.outer) / radius)
    return torch.cat([xy, places[2:]])


def _distances(places: Tensor) -> Tensor:
    """(n, n), infinite on the diagonal."""
    distance = torch.cdist(places.T, places.T)
    return distance.fill_diagonal_(torch.inf)


def _apart(places: Tensor, spacing_mm: float) -> Tensor:
    """Places (3, n) with those too close pushed apart sideways, each by half of what is missing."""
    between = places[:2, :, None] - places[:2, None, :]
    missing = (spacing_mm - _distances(places)).clamp_min(0)
    direction = between / _lengths(between).clamp_min(1e-6)
    push = (0.55 * missing * direction).sum(2)
    return torch.cat([places[:2] + push, places[2:]])


def _tilted_within(at: Tensor, aim: Tensor, tilt_deg: float) -> Tensor:
    """Aims (3, n) drawn in until no part at (3, n) is tilted further."""
    way = aim - at
    sideways = _lengths(way[:2]).clamp_min(1e-9)
    most = way[2].abs() * torch.tensor(tilt_deg).deg2rad().tan()
    xy = at[:2] + way[:2] * (most / sideways).clamp_max(1)
    return torch.cat([xy, aim[2:]])


def _tilts_deg(points: Tensor) -> Tensor:
    """(2 · sensors,) between each part's aim and -z."""
    way = torch.cat([points[part + 1] - points[part] for part in PARTS], -1)
    return torch.rad2deg(torch.atan2(_lengths(way[:2]), -way[2]))


def _to_apex(places: Tensor) -> Tensor:
    """(n,) mm to the corneal apex of the nominal eye that looks straight ahead."""
    axis = torch.tensor([0.0, 0.0, 1.0], dtype=places.dtype)
    return _lengths(places - axis[:, None] * _apex_mm())


def _apex_mm() -> float:
    to_limbus = (anatomy.EYE_RADIUS_MM**2 - anatomy.IRIS_RADIUS_MM**2) ** 0.5
    centre = to_limbus - (anatomy.CORNEA_RADIUS_MM**2 - anatomy.IRIS_RADIUS_MM**2) ** 0.5
    return float(centre + anatomy.CORNEA_RADIUS_MM)
