"""Headset: where the sensors sit, how they look, how they are read. Described by a TOML file."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from psog.drive import Adc, Amplifier, Drive, Housing, Noise, Parts, Tolerance
from psog.errors import HeadsetError
from psog.parts import Emitter, Lobe
from psog.tables import Exponent, Positive, Table, first_fault

Point = tuple[float, float, float]

WIRE_BITS = 16
"""Readings travel left-aligned in 16 bits, as ADCs with oversampling deliver them."""

MAX_SENSORS = 64
MAX_CELLS = 255
_HALF_OF_THE_TIME = 0.5
"""Up to which the makers allow an emitter its pulse current."""


class Lobes(Table):
    """Angular responses cosⁿ θ about the aim; n = 1 is Lambertian. For a headset without parts."""

    detector_exponent: Exponent
    emitter_exponent: Exponent


class Sensor(Table):
    """One emitter/detector pair; positions in headset coordinates (mm)."""

    detector_mm: Point
    detector_aim_mm: Point
    """A point the detector looks at."""
    emitter_mm: Point
    emitter_aim_mm: Point


class Headset(Table):
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
    noise: Noise = Noise()
    lobes: Lobes | None = None
    parts: Parts | None = None
    drive: Drive = Drive()
    amplifier: Amplifier | None = None
    tolerance: Tolerance = Tolerance()
    housing: Housing | None = None
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
            for part in (sensor.detector_mm, sensor.emitter_mm):
                self._check_place(index, part)
        self._check_electronics()
        return self

    def _check_place(self, index: int, part: Point) -> None:
        if part[2] <= 0:
            raise ValueError(f"sensors[{index}]: z must be in front of the eye rotation centre (z > 0)")
        distance = float(np.linalg.norm(part))
        if distance < _NEAREST_PART_MM:
            raise ValueError(
                f"sensors[{index}]: a part lies {distance:.1f} mm from the eye rotation centre, "
                f"inside the eye; at least {_NEAREST_PART_MM} mm expected"
            )
        if self.housing is not None and part[2] > self.housing.z_mm:
            raise ValueError(
                f"sensors[{index}]: a part lies at z = {part[2]} mm, behind the housing; "
                f"at most housing.z_mm = {self.housing.z_mm} expected"
            )

    def _check_electronics(self) -> None:
        if (self.lobes is None) == (self.parts is None):
            raise ValueError(
                f"lobes and parts: {'neither' if self.lobes is None else 'both'} given, expected exactly one "
                "of [lobes] (exponents) and [parts] (a photodiode and an emitter)"
            )
        if self.parts is None and self.drive.led_current_ma is not None:
            raise ValueError("drive.led_current_ma: says nothing without [parts]; name the emitter there")
        if self.noise.snr is None and not self.has_currents:
            raise ValueError(
                "noise.snr: missing, and it does not follow from the parts; set it, or give [parts], "
                "drive.led_current_ma, drive.pulse_us and [amplifier]"
            )
        if self.drive.pulse_us is not None:
            self._check_timing(self.drive.pulse_us)
        if self.parts is not None and self.drive.led_current_ma is not None:
            self._check_current(self.parts.emitter, self.drive.led_current_ma)

    def _check_timing(self, pulse_us: float) -> None:
        slots = self.sensor_count if self.drive.multiplexing == "time" else 1
        samples = 2 if self.drive.ambient_subtraction else 1
        needed_us, frame_us = slots * samples * pulse_us, 1e6 / self.rate_hz
        if needed_us > frame_us:
            raise ValueError(
                f"drive.pulse_us: {slots} slots of {samples} × {pulse_us} µs need {needed_us:.0f} µs, "
                f"a sample at {self.rate_hz} Hz has {frame_us:.0f} µs"
            )

    def _check_current(self, emitter: Emitter, current_ma: float) -> None:
        pulse_us = self.drive.pulse_us
        pulsed = (
            emitter.max_pulse_us is not None
            and pulse_us is not None
            and pulse_us <= emitter.max_pulse_us
            and pulse_us * self.rate_hz <= _HALF_OF_THE_TIME * 1e6
        )
        most = emitter.max_pulse_current_ma if pulsed else emitter.max_current_ma
        if most is not None and current_ma > most:
            raise ValueError(
                f"drive.led_current_ma: {current_ma} given, {emitter.name} bears {most} mA in this drive"
            )

    @property
    def has_currents(self) -> bool:
        """Whether photocurrents and noise follow from parts, drive and amplifier."""
        drive = self.drive
        known = drive.led_current_ma is not None and drive.pulse_us is not None
        return known and self.parts is not None and self.amplifier is not None

    def with_led_current(self, current_ma: float) -> Headset:
        """The same headset driven with another current, the noise following from it.

        Raises:
            HeadsetError: a current that the emitter does not bear.
        """
        drive = self.drive.model_copy(update={"led_current_ma": current_ma})
        changed = self.model_copy(update={"drive": drive, "noise": Noise()})
        try:
            changed._check_electronics()
        except ValueError as error:
            raise HeadsetError(f"headset {self.name}: {error}") from error
        return changed

    @property
    def sensor_count(self) -> int:
        return len(self.sensors)

    @property
    def detector_lobe(self) -> Lobe:
        """Angular response of every detector."""
        return self.parts.detector.lobe if self.parts else Lobe(self._exponents.detector_exponent)

    @property
    def emitter_lobe(self) -> Lobe:
        """Angular pattern of every emitter."""
        return self.parts.emitter.lobe if self.parts else Lobe(self._exponents.emitter_exponent)

    @property
    def _exponents(self) -> Lobes:
        assert self.lobes is not None  # the validator has seen to it
        return self.lobes

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
    return _parse(content, path.name, path.parent)


def _parse(content: str, origin: str, folder: Path | None = None) -> Headset:
    try:
        return Headset.model_validate(tomllib.loads(content), context={"folder": folder})
    except ValidationError as error:
        raise HeadsetError(f"headset {origin}: {first_fault(error, 'headset')}; correct the file") from error
    except (ValueError, RecursionError) as error:  # of TOML, numbers of thousands of digits, endless brackets
        raise HeadsetError(f"headset {origin} is not valid TOML: {error}") from error
