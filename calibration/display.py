"""Who draws the targets, beside the headset's own display, which is always told."""

from __future__ import annotations

from typing import Protocol

from psog.calibration.interruption import Check
from psog.calibration.targets import Target


class Display(Protocol):
    """Draws one target at a time."""

    def show(self, target: Target, check: Check) -> None:
        """Returns once the target is drawn where it belongs: readings count from then on.

        Raises:
            CalibrationError: nobody draws it.
        """

    def hide(self) -> None:
        """Draw none; never waits."""


class NoDisplay:
    """For a headset that draws for itself, as a virtual one does."""

    def show(self, target: Target, check: Check) -> None:
        """It is drawn by the time the headset has answered."""

    def hide(self) -> None:
        """Nothing to do."""
