"""How a headset drives its emitters and reads its photodiodes: the electronic tables of its TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from psog.errors import PartError
from psog.parts import Emitter, Photodiode, load_part
from psog.tables import NotNegative, Positive, Table


class Adc(Table):
    """The converter behind the photodiodes."""

    bits: Annotated[int, Field(ge=8, le=16)]

    @property
    def full_scale(self) -> int:
        """Counts at saturation plus one."""
        return 1 << self.bits


class Noise(Table):
    """Electronic noise of one reading, where it is set and does not follow from parts and drive."""

    snr: Positive | None = None
    """Mean reading over its standard deviation, for a single sample."""


def _part(value: Any, info: ValidationInfo) -> Any:
    """The part that a name or path stands for; a table stays one."""
    if not isinstance(value, str):
        return value
    folder: Path | None = (info.context or {}).get("folder")
    try:
        part = load_part(value, folder)
    except PartError as error:
        raise ValueError(str(error)) from error
    kind = "photodiode" if info.field_name == "detector" else "emitter"
    if part.kind != kind:
        raise ValueError(f"{part.name} is of kind {part.kind}, expected {kind}")
    return part


class Parts(Table):
    """The photodiode and the emitter of every sensor: a built-in name, or the path of a part's file (from the
    folder of the headset's)."""

    detector: Annotated[Photodiode, BeforeValidator(_part)]
    emitter: Annotated[Emitter, BeforeValidator(_part)]


class Drive(Table):
    """When and how strongly the emitters shine."""

    led_current_ma: Positive | None = None
    """While an emitter is on."""
    pulse_us: Positive | None = None
    """How long it is on for one reading, and how long the photocurrent is integrated."""
    multiplexing: Literal["time", "none"] = "time"
    """time: each sensor has a slot in which only its emitter shines; none: all shine at once."""
    crosstalk: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the light of either neighbouring slot that leaks in: afterglow, settling, overlap."""
    ambient_subtraction: bool = True
    """Whether a reading is what is seen with the light on minus what is seen with it off, a pulse later."""
    led_noise_db_hz: Annotated[float, Field(ge=-200, le=-40)] = -130.0
    """Relative intensity noise of emitter and driver. The default is a weak value: a supply of 30 µV rms in
    100 kHz over half a volt of sense resistor has -134 dB/Hz."""


class Amplifier(Table):
    """The transimpedance amplifier of each photodiode; a second stage sets the gain."""

    feedback_kohm: Positive
    """Sets its thermal noise and how much light it bears."""
    saturation_v: Positive = 3.0
    """It gives no more than this, ambient light included."""
    voltage_noise_nv_rthz: NotNegative = 10.0
    """Of its input; the default is a weak value, of an ordinary low-noise CMOS amplifier."""
    temperature_c: Annotated[float, Field(ge=-40, le=125)] = 30.0
    """For thermal noise."""


class Tolerance(Table):
    """How devices of one design differ, and how one device drifts."""

    gain_sd: Annotated[float, Field(ge=0, le=0.3)] = 0.0
    """Of each sensor's gain, relative: brightness of the emitter, responsivity, amplifier."""
    offset_sd_counts: NotNegative = 0.0
    """Of each sensor's reading without light."""
    aim_sd_deg: Annotated[float, Field(ge=0, le=15)] = 0.0
    """Of the tilt of each detector and emitter, about each of two axes."""
    drift_counts_rthour: NotNegative = 0.0
    """Each offset wanders at random; its standard deviation after one hour (grows with the root of time)."""


class Housing(Table):
    """Where parts can sit."""

    z_mm: Positive
    """The plane that carries them: no part lies further from the eye."""
