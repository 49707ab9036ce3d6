"""Headset: where the sensors sit, how they look, how they are read. Described by a TOML file."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from psog.errors import HeadsetError
from psog.parts import Lobe

Point = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

WIRE_BITS = 16
"""Readings travel left-aligned in 16 bits, as ADCs with oversampling deliver them."""

MAX_SENSORS = 64
MAX_CELLS = 255


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Adc(_Table):
    """The converter behind the photodiodes."""

    bits: Annotated[int, Field(ge=8, le=16)]

    @property
    def full_scale(self) -> int:
        """Counts at saturation plus one."""
        return 1 << self.bits


class Noise(_Table):
    """Electronic noise of one reading."""

    snr: Positive
    """Mean reading over its standard deviation, for a single sample."""


class Lobes(_Table):
    """Angular responses cosⁿ θ about the aim; n = 1 is Lambertian."""

    detector_exponent: Annotated[float, Field(ge=0, le=512)]
    emitter_exponent: Annotated[float, Field(ge=0, le=512)]


class Sensor(_Table):
    """One emitter/detector pair; positions in headset coordinates (mm)."""

    detector_mm: Point
    detector_aim_mm: Point
    """A point the detector looks at."""
    emitter_mm: Point
    emitter_aim_mm: Point


class Headset(_Table):
    """A headset as its TOML file describes it. Frozen; unknown keys are refused.

    Frame: origin at the nominal eye rotation centre, x to the wearer's right, y up, z forward, mm.
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,14}$")]
    description: str
    rate_hz: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
    field_deg: tuple[Positive, Positive]
    """Half width and half height of the gaze field the headset is made for."""
    layout: tuple[tuple[int, ...], ...]
    """Sensor index of every cell of the network's input grid; a sensor may appear more than once
    (that is how a ring is wrapped)."""
    adc: Adc
    noise: Noise
    lobes: Lobes
    sensors: tuple[Sensor, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Headset:
        count = len(self.sensors)
        if not 1 <= count <= MAX_SENSORS:
            raise ValueError(f"sensors: {count} given, 1 to {MAX_SENSORS} expected")
        widths = {len(row) for row in self.layout}
        if len(widths) != 1 or 0 in widths:
            raise ValueError("layout: every row needs the same number of cells, at least one")
        cells = [index for row in self.layout for index in row]
        if len(cells) > MAX_CELLS:
            raise ValueError(f"layout: {len(cells)} cells given, at most {MAX_CELLS} expected")
        missing = sorted(set(range(count)) - set(cells))
        unknown = sorted(set(cells) - set(range(count)))
        if missing or unknown:
            raise ValueError(
                f"layout: sensors {missing} do not appear, cells name unknown sensors {unknown}; "
                f"expected every index 0 to {count - 1} at least once"
            )
        for index, sensor in enumerate(self.sensors):
            if sensor.detector_mm == sensor.detector_aim_mm or sensor.emitter_mm == sensor.emitter_aim_mm:
                raise ValueError(f"sensors[{index}]: a part cannot aim at its own position")
            if min(sensor.detector_mm[2], sensor.emitter_mm[2]) <= 0:
                raise ValueError(f"sensors[{index}]: z must be in front of the eye rotation centre (z > 0)")
            for part in (sensor.detector_mm, sensor.emitter_mm):
                distance = float(np.linalg.norm(part))
                if distance < _NEAREST_PART_MM:
                    raise ValueError(
                        f"sensors[{index}]: a part lies {distance:.1f} mm from the eye rotation centre, "
                        f"inside the eye; at least {_NEAREST_PART_MM} mm expected"
                    )
        return self

    @property
    def sensor_count(self) -> int:
        return len(self.sensors)

    @property
    def detector_lobe(self) -> Lobe:
        """Angular response of every detector."""
        return Lobe(self.lobes.detector_exponent)

    @property
    def emitter_lobe(self) -> Lobe:
        """Angular pattern of every emitter."""
        return Lobe(self.lobes.emitter_exponent)

    @property
    def grid(self) -> NDArray[np.int64]:
        """(rows, columns) sensor index of each input cell."""
        return np.array(self.layout, dtype=np.int64)

    @property
    def wire_scale(self) -> int:
        """Wire value of one ADC count (readings are left-aligned to 16 bits)."""
        return 1 << (WIRE_BITS - self.adc.bits)

    def to_wire(self, counts: NDArray[np.floating]) -> NDArray[np.uint16]:
        """Counts (any shape) to the 16-bit left-aligned values that firmware and network read."""
        wire = np.rint(np.asarray(counts, dtype=np.float64) * self.wire_scale)
        return np.clip(wire, 0, (1 << WIRE_BITS) - 1).astype(np.uint16)


_NEAREST_PART_MM = 14.0  # corneal apex at 13.4 mm (5.6 + 7.8): nothing may touch the eye


def built_in_headsets() -> list[str]:
    """Names of the headsets that come with psog."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in resources.files("psog.headsets").iterdir()
        if entry.name.endswith(".toml")
    )


def load_headset(name_or_path: str | Path) -> Headset:
    """A built-in headset by name, or one described by a TOML file.

    Raises:
        HeadsetError: no such headset, not TOML, unknown keys, or values that cannot be.
    """
    text = str(name_or_path)
    if text in built_in_headsets():
        return _parse(resources.files("psog.headsets").joinpath(f"{text}.toml").read_text("utf-8"), text)
    path = Path(name_or_path)
    if path.suffix != ".toml":
        raise HeadsetError(
            f"no headset named {text!r}; built in: {', '.join(built_in_headsets())}; "
            "or give the path of a .toml file"
        )
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HeadsetError(f"cannot read headset file {path}: {error}; check the path") from error
    return _parse(content, path.name)


def _parse(content: str, origin: str) -> Headset:
    try:
        return Headset.model_validate(tomllib.loads(content))
    except tomllib.TOMLDecodeError as error:
        raise HeadsetError(f"headset {origin} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "headset"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise HeadsetError(f"headset {origin}: {where}: {first['msg']}{more}; correct the file") from error
