"""`psog standardise`: a headset measures its sensors while it is worn, and sees them as its training did."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.errors import CalibrationError, DeviceError, LinkError, PsogError

if TYPE_CHECKING:
    from psog.device.answers import WearMeans
    from psog.device.client import Client
    from psog.headset import Headset

_POLL_S = 0.25
_PATIENCE_S = 3.0
"""Without a reading that counts; a weak value."""


@dataclass(frozen=True)
class Command:
    """A minute of wear, looking around, and a headset whose parts differ or have aged sees as it should.

    The headset measures the mean of each sensor; what it should be comes from simulated wearers, or from the
    recordings that its model was trained on. Do it before a calibration, and only for a headset that needs
    it: it takes most of an error that comes from gains away, and makes a sound headset a little worse
    (docs/standardising.md). psog erase, or --forget, undoes it.
    """

    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    virtual: bool = False
    """Start a virtual headset with a simulated wearer, for as long as the command lasts."""
    seconds: float = 60.0
    """How long to measure, by the readings of the headset."""
    like: tuple[Path, ...] = ()
    """Recording folders that tell what the sensors should read; simulated wearers unless given."""
    headset: str | None = None
    """TOML file of a headset that is not built in."""
    forget: bool = False
    """See the sensors as the model has it again."""
    force: bool = False
    """Also where a calibration is lost by it."""
    json: bool = False
    """Print {"port", "board", "headset", "was_calibrated", "standardised", "samples", "saturated", "gains",
    "unchanged"} as one JSON document; gains are what each sensor's readings are multiplied with."""

    def run(self) -> None:
        from psog.cli.virtual_headset import check_virtual_only, port_to_open
        from psog.device.client import open_headset

        check_virtual_only(self.virtual, self.port, {})
        where: dict[str, Any] = dict.fromkeys(("model", "board", "user_seed", "flash"))
        with (
            port_to_open(port=self.port, virtual=self.virtual, headset=self.headset, **where) as port,
            open_headset(port) as client,
        ):
            told = self._forget(client) if self.forget else self._standardise(client)
        self._tell(told)

    def _forget(self, client: Client) -> dict[str, Any]:
        before = client.info
        if before.standardised:
            self._check_loss(client)
            client.calibration_erase()
        return _told(client, was_calibrated=before.calibrated)

    def _standardise(self, client: Client) -> dict[str, Any]:
        from psog.cli.virtual_headset import described_headset

        before = client.info
        if not before.headset:
            raise DeviceError(f"the headset at {client.port} has no model; send one with psog flash")
        self._check_loss(client)
        headset = described_headset(before, client.port, self.headset)
        samples = _samples(self.seconds, headset)
        trained = _trained(headset, self.like)
        found = _measured(client, samples)
        client.standardise_apply(trained)
        gains = [_gain(mean, target) for mean, target in zip(found.means, trained, strict=True)]
        return {
            **_told(client, was_calibrated=before.calibrated),
            "samples": found.added,
            "saturated": found.saturated,
            "gains": [round(gain, 4) for gain in gains],
            "unchanged": [i for i, mean in enumerate(found.means) if mean == 0 or trained[i] == 0],
        }

    def _check_loss(self, client: Client) -> None:
        if client.info.calibrated and not self.force:
            raise CalibrationError(
                f"the headset at {client.port} has a user's calibration, which is of the sensors as they are "
                "seen now; keep it with psog profiles save NAME if it is wanted again, then give --force"
            )

    def _tell(self, told: dict[str, Any]) -> None:
        if self.json:
            print(json.dumps(told))
            return
        if not told["standardised"]:
            print(f"{told['port']}: the sensors are seen as the model has it")
            return
        gains = told["gains"]
        by = f"standardised by {told['samples']:,} readings"
        print(f"{told['port']}: {by}; gains {min(gains)} to {max(gains)}")
        if told["unchanged"]:
            names = ", ".join(map(str, told["unchanged"]))
            print(f"sensors that did not change, and stay as they are: {names}")
        print("calibrate now, with psog-calibrate" + ("; the one before is gone" * told["was_calibrated"]))


def _told(client: Client, *, was_calibrated: bool) -> dict[str, Any]:
    info = client.hello()
    return {
        "port": client.port,
        "board": info.board,
        "headset": info.headset,
        "was_calibrated": was_calibrated,
        "standardised": info.standardised,
        "samples": 0,
        "saturated": 0,
        "gains": [],
        "unchanged": [],
    }


def _samples(seconds: float, headset: Headset) -> int:
    from psog.device.standardising import MOST_READINGS

    samples = round(seconds * headset.rate_hz) if seconds < 1e9 else 0
    if not 1 <= samples <= MOST_READINGS:
        longest_s = MOST_READINGS / headset.rate_hz
        raise PsogError(
            f"--seconds is {seconds:g}; expected one reading to {MOST_READINGS:,}, which are {longest_s:g} s "
            f"of {headset.name}"
        )
    return samples


def _trained(headset: Headset, recordings: Sequence[Path]) -> list[int]:
    """The mean of each sensor on the wire, of those that the model was trained with."""
    import numpy as np

    from psog.recording import iterate_recording
    from psog.sim.brightness import mean_wire

    if not recordings:
        return [int(mean) for mean in mean_wire(headset)]
    rows, total = 0, np.zeros(headset.sensor_count)
    for folder in recordings:
        for part in iterate_recording(folder):
            part.check_headset(headset)
            counts = np.clip(np.rint(part.readings), 0, headset.adc.full_scale - 1)
            total += headset.to_wire(counts).sum(axis=0, dtype=np.float64)
            rows += len(part)
    if rows == 0:
        raise PsogError("the recordings of --like have no rows; give others")
    return [int(mean) for mean in np.rint(total / rows)]


def _measured(client: Client, samples: int) -> WearMeans:
    """Once all readings are in; nothing is left in the headset when it comes to something else.

    Raises:
        LinkError: no reading came, or none that did not saturate.
    """
    client.standardise_begin(samples)
    try:
        with _bar(samples) as advance:
            found, last_s = client.standardise_means(), time.monotonic()
            while found.added < samples:
                time.sleep(_POLL_S)
                before, found = found, client.standardise_means()
                advance(found.added)
                last_s = time.monotonic() if found.added > before.added else last_s
                if time.monotonic() - last_s > _PATIENCE_S:
                    why = (
                        "too much light in all of them"
                        if found.saturated > before.saturated
                        else "there is none"
                    )
                    raise LinkError(
                        f"the headset at {client.port} had no reading that counts for {_PATIENCE_S:g} s: "
                        f"{why}; nothing was changed"
                    )
    except BaseException:
        with contextlib.suppress(LinkError, DeviceError):
            client.tune_discard()
        raise
    return found


@contextlib.contextmanager
def _bar(samples: int) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("wear the headset and look around", total=samples)
        yield lambda added: progress.update(task, completed=added)


def _gain(mean: int, trained: int) -> float:
    from psog.device.standardising import MOST_GAIN

    if mean == 0 or trained == 0:
        return 1.0
    return min(max(trained / mean, 1 / MOST_GAIN), float(MOST_GAIN))
