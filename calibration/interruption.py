"""Leaving a step half way: the wearer pauses, or who runs the session wants something else."""

from __future__ import annotations

from collections.abc import Callable


class Interrupted(Exception):  # noqa: N818 - a way out, not a fault
    """The step was left; nothing of its target stays in the device."""


Check = Callable[[], None]
"""Called between readings, at least every 50 ms; raises Interrupted to leave the step."""


def go_on() -> None:
    """The Check of who never interrupts."""
