"""`psog recenter`: after a slip, one look at one dot sets the gaze right; or says whether it is right."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psog.errors import CalibrationError, ModelError

if TYPE_CHECKING:
    from psog.calibration.recentre import Advice, Look
    from psog.device.client import Client
    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.net.recovery import Recovery

EXIT_RECENTER, EXIT_CALIBRATE = 3, 4
_EXITS = {"nothing": 0, "recenter": EXIT_RECENTER, "calibrate": EXIT_CALIBRATE}
LEAST_S, MOST_S = 5.0, 600.0
"""Of looking around: an estimate needs three seconds of an open eye (psog.live.shift)."""


@dataclass(frozen=True)
class Command:
    """Look at the dot that appears, and the gaze is set right after a slip. A calibration must be in use.

    The correction is what simulated slips of such a headset make most probable, not a plain offset; it is
    kept in the headset. --check only measures: with a profile in use that has its calibration's readings
    (psog-calibrate --user), how far the headset has moved, while the wearer looks around; else at the dot.
    Exit status with --check: 0 all is well, 3 recentre (psog recenter), 4 calibrate anew (psog-calibrate); 1
    is an error. See docs/recovery.md.
    """

    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    check: bool = False
    """Only measure, and say whether something should be done."""
    h_deg: float = 0.0
    """Where the dot is, degrees to the right of straight ahead."""
    v_deg: float = 0.0
    """And above it."""
    model: Path | None = None
    """Folder of the model that the headset runs, if it is not the one that comes with psog."""
    headset: str | None = None
    """TOML file of a headset that is not built in."""
    seconds: float = 12.0
    """How long to look around, for --check with a profile; at least 5."""
    json: bool = False
    """Print {"target_deg", "before_deg", "expected_deg", "after_deg", "advice", "recentred"}; with --check
    after_deg is null. With a profile --check prints {"shift_mm", "size_mm", "within_mm", "advice"}."""

    def run(self) -> None:
        from psog.calibration.recentre import recentred, take_look
        from psog.cli.ports import headset_port
        from psog.device.client import open_headset

        if not LEAST_S <= self.seconds <= MOST_S:
            raise CalibrationError(f"--seconds is {self.seconds:g}; expected {LEAST_S:g} to {MOST_S:g}")
        with open_headset(headset_port(self.port)) as client:
            headset, net, recovery = self._known(client)
            if self.check:
                self._check_shift(client, headset)
            look = take_look(client, self.h_deg, self.v_deg, headset.rate_hz)
            found = recentred(client.read_calibration(), recovery, net, look)
            writes = not self.check and found.advice != "calibrate"
            after = None
            if writes:
                client.write_calibration(found.calibration)
                after = take_look(client, self.h_deg, self.v_deg, headset.rate_hz)
        self._tell(look, found.expected_off_deg, after, found.advice)
        if self.check:
            sys.stdout.flush()
            sys.exit(_EXITS[found.advice])
        if not writes:
            raise CalibrationError(
                f"not recentred: the gaze is {look.off_deg:.1f}° from the dot, more than a slip explains; "
                "look at the dot and try again, or calibrate anew with psog-calibrate"
            )

    def _check_shift(self, client: Client, headset: Headset) -> None:
        """Tell how far the headset has moved, and end; come back where no profile knows."""
        from psog.cli.shift_watch import look_around, shift_watch

        watch = shift_watch(client, self.model, headset)
        if watch is None or watch.since != "calibration":
            return
        print(f"look around for {self.seconds:g} s", file=sys.stderr)
        shift = look_around(client, watch, self.seconds)
        if shift is None:
            raise CalibrationError(
                f"cannot tell whether the headset has moved: in {self.seconds:g} s the eye was hardly open "
                "or hardly moved; look around and try again"
            )
        advice: Advice = "recenter" if shift.has_moved else "nothing"
        if self.json:
            told = {
                "shift_mm": [round(float(mm), 2) for mm in shift.mm],
                "size_mm": round(shift.size_mm, 2),
                "within_mm": round(shift.within_mm, 2),
                "advice": advice,
            }
            print(json.dumps(told))
        else:
            moved = f"{shift.size_mm:.1f} ± {shift.within_mm:.1f} mm from where it was at the calibration"
            print(f"the headset sits {moved}: {_ADVICE[advice]}")
        sys.stdout.flush()
        sys.exit(_EXITS[advice])

    def _known(self, client: Client) -> tuple[Headset, IntegerNet, Recovery]:
        """What is known of the headset and its model, before anybody is asked to look."""
        from psog.cli.installed import installed_folder
        from psog.headset import load_headset
        from psog.net.recovery_file import load_recovery
        from psog.net.store import load_model

        if not client.info.calibrated:
            raise CalibrationError(
                f"the headset at {client.port} is not calibrated, so there is nothing to set right; "
                "calibrate with psog-calibrate, or have it use a profile: psog profiles use NAME"
            )
        given = load_headset(self.headset) if self.headset else None
        folder = installed_folder(client.info, self.model, given)
        net = load_model(folder).net
        recovery = load_recovery(folder, net)
        if recovery is None:
            raise ModelError(f"nothing is known of slips with {folder}; learn it with psog recovery {folder}")
        headset = given or load_headset(net.headset)
        if not (abs(self.h_deg) <= headset.field_deg[0] and abs(self.v_deg) <= headset.field_deg[1]):
            raise CalibrationError(
                f"the dot at {self.h_deg:g}°, {self.v_deg:g}° lies outside the field of "
                f"±{headset.field_deg[0]:g}° and ±{headset.field_deg[1]:g}°"
            )
        return headset, net, recovery

    def _tell(self, look: Look, expected_deg: float, after: Look | None, advice: str) -> None:
        if self.json:
            told = {
                "target_deg": [self.h_deg, self.v_deg],
                "before_deg": look.off_deg,
                "expected_deg": expected_deg,
                "after_deg": None if after is None else after.off_deg,
                "advice": advice,
                "recentred": after is not None,
            }
            print(json.dumps(told))
        elif after is not None:
            print(f"off by {look.off_deg:.2f}° at the dot, {after.off_deg:.2f}° now")
        elif self.check:
            print(f"off by {look.off_deg:.2f}° at the dot: {_ADVICE[advice]}")


_ADVICE = {
    "nothing": "as good as a calibration leaves it",
    "recenter": "the headset has moved; psog recenter sets it right",
    "calibrate": "more than a slip explains; look again, or calibrate with psog-calibrate",
}
