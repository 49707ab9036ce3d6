"""Parts: photodiodes and emitters, and how much of the light they take or give in each direction.

A part is a TOML file with the numbers of its datasheet; docs/electronics.md tells how to write one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from psog.errors import PartError
from psog.tables import Exponent, HalfAngle, NotNegative, Positive, Share, Table, first_fault

_FOLDER = "psog.part_data"


@dataclass(frozen=True)
class Lobe:
    """Angular response of a part over its greatest: cosⁿ, or a table that is read linearly in the angle.

    Attributes:
        exponent: n of cosⁿ θ; None where there is a table.
        angles_deg: rising from 0, at most 90; empty where there is an exponent.
        relative: at those angles, 0 to 1; beyond the last angle the response is 0.
    """

    exponent: float | None
    angles_deg: tuple[float, ...] = ()
    relative: tuple[float, ...] = ()

    def at(self, cosine: NDArray[np.floating]) -> NDArray[np.float64]:
        """Response at directions whose cosine with the aim is `cosine` (any shape); 0 behind the part."""
        cosine = np.asarray(cosine, dtype=np.float64)
        if self.exponent is not None:
            return np.asarray(np.where(cosine > 0, np.clip(cosine, 0, 1) ** self.exponent, 0.0))
        angle = np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))
        return np.asarray(np.interp(angle, self.angles_deg, self.relative, right=0.0))


class _Part(Table):
    """What photodiodes and emitters have in common.

    Exactly one of `half_angle_deg`, `exponent` and the pair `angles_deg`, `relative` gives the lobe.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    maker: str
    description: str
    source: Annotated[str, Field(min_length=1)]
    """The datasheet: number, revision, date."""
    notes: dict[str, str] = Field(default_factory=dict)
    """Key → where its number comes from if the datasheet does not print it: derived, graph, weak value."""
    wavelength_nm: Annotated[float, Field(ge=700, le=1100)]
    """An emitter's peak; where a photodiode's responsivity was measured."""
    half_angle_deg: HalfAngle | None = None
    """Off axis, where the response is half; becomes an exponent."""
    exponent: Exponent | None = None
    angles_deg: tuple[float, ...] | None = None
    relative: tuple[Share, ...] | None = None

    @model_validator(mode="after")
    def _one_lobe(self) -> _Part:
        if (self.angles_deg is None) != (self.relative is None):
            raise ValueError("angles_deg and relative come together, one is missing")
        given = [
            name for name in ("half_angle_deg", "exponent", "angles_deg") if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(
                f"the lobe is given by {' and '.join(given) or 'nothing'}, expected exactly one of "
                "half_angle_deg, exponent, or angles_deg with relative"
            )
        if self.angles_deg is not None and self.relative is not None:
            _check_lobe_table(self.angles_deg, self.relative)
        unknown = sorted(set(self.notes) - set(type(self).model_fields))
        if unknown:
            raise ValueError(f"notes: {unknown} are no keys of this part")
        return self

    def __hash__(self) -> int:
        return hash((self.name, self.source))  # a dict among the fields has no hash of its own

    @property
    def lobe(self) -> Lobe:
        """How the part responds off its axis."""
        if self.angles_deg is not None and self.relative is not None:
            return Lobe(None, self.angles_deg, self.relative)
        if self.exponent is not None:
            return Lobe(self.exponent)
        assert self.half_angle_deg is not None  # the validator has seen to it
        exponent = np.log(0.5) / np.log(np.cos(np.deg2rad(self.half_angle_deg)))
        return Lobe(round(float(exponent), 4))


class Photodiode(_Part):
    """A photodiode. Its lobe includes the cosine of its own face."""

    kind: Literal["photodiode"]
    area_mm2: Positive
    responsivity_a_w: Positive
    """Photocurrent over irradiance · area, on axis; above 0.77 A/W where a package gathers light."""
    band_nm: tuple[Positive, Positive]
    """Where its filter lets through half or more: the band that ambient light is counted in."""
    dark_current_na: NotNegative
    capacitance_pf: NotNegative
    """At the bias it is used with, or without bias."""

    @model_validator(mode="after")
    def _band_rises(self) -> Photodiode:
        if self.band_nm[0] >= self.band_nm[1]:
            raise ValueError(f"band_nm: {list(self.band_nm)} given, expected the shorter wavelength first")
        return self


class Emitter(_Part):
    """An infrared LED. Radiant intensity follows its current in proportion."""

    kind: Literal["emitter"]
    radiant_intensity_mw_sr: Positive
    """On axis (or where it is greatest), typical, at `at_current_ma`."""
    radiant_intensity_max_mw_sr: Positive | None = None
    """The brightest specimen at the same current; eye safety counts with it."""
    at_current_ma: Positive
    max_current_ma: Positive
    """That may flow all the time."""
    max_pulse_current_ma: Positive | None = None
    """That may flow in pulses of at most `max_pulse_us` and half of the time."""
    max_pulse_us: Positive | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Emitter:
        if (self.max_pulse_current_ma is None) != (self.max_pulse_us is None):
            raise ValueError("max_pulse_current_ma and max_pulse_us come together, one is missing")
        brightest = self.radiant_intensity_max_mw_sr
        if brightest is not None and brightest < self.radiant_intensity_mw_sr:
            raise ValueError(
                f"radiant_intensity_max_mw_sr is {brightest}, "
                f"below the typical {self.radiant_intensity_mw_sr}"
            )
        return self


_KINDS: dict[str, type[Photodiode] | type[Emitter]] = {"photodiode": Photodiode, "emitter": Emitter}


def built_in_parts() -> list[str]:
    """Names of the photodiodes and emitters that come with psog."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in resources.files(_FOLDER).iterdir()
        if entry.name.endswith(".toml")
    )


def load_part(name_or_path: str, folder: Path | None = None) -> Photodiode | Emitter:
    """A built-in part by name, or one described by a TOML file.

    Args:
        folder: that a relative path starts from; the working directory unless given.
    Raises:
        PartError: no such part, not TOML, unknown keys, or values that cannot be.
    """
    built_in = resources.files(_FOLDER).joinpath(f"{name_or_path}.toml")
    if Path(name_or_path).name == name_or_path and built_in.is_file():
        return _parse(built_in.read_text("utf-8"), name_or_path)
    path = (folder or Path()) / name_or_path
    if path.suffix != ".toml":
        raise PartError(
            f"no part named {name_or_path!r}; built in: {', '.join(built_in_parts())}; "
            "or give the path of a .toml file"
        )
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PartError(f"cannot read part file {path}: {error}; check the path") from error
    return _parse(content, path.name)


def _parse(content: str, origin: str) -> Photodiode | Emitter:
    try:
        data: dict[str, Any] = tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        raise PartError(f"part {origin} is not valid TOML: {error}") from error
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise PartError(f"part {origin}: kind is {kind!r}, expected {' or '.join(_KINDS)}; correct the file")
    try:
        return _KINDS[kind].model_validate(data)
    except ValidationError as error:
        raise PartError(f"part {origin}: {first_fault(error, 'part')}; correct the file") from error


def _check_lobe_table(angles_deg: tuple[float, ...], relative: tuple[float, ...]) -> None:
    if len(angles_deg) != len(relative) or len(angles_deg) < 2:
        raise ValueError(
            f"angles_deg has {len(angles_deg)} values, relative {len(relative)}; expected as many, at least 2"
        )
    if angles_deg[0] != 0 or not angles_deg[-1] <= 90 or not (np.diff(angles_deg) > 0).all():
        raise ValueError("angles_deg must rise from 0 to at most 90")
    if max(relative) != 1:
        raise ValueError(f"relative: the greatest value is {max(relative)}, expected 1")
