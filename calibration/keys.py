"""What a key means, on a page, a renderer's controller or a terminal: one table for all of them."""

from __future__ import annotations

from psog.calibration.flow import (
    Abort,
    Command,
    Discard,
    Keep,
    Pause,
    RedoAll,
    RedoLast,
    Resume,
    Start,
    State,
)

_COMMANDS: dict[tuple[State, str], Command] = {
    (State.READY, "space"): Start(),
    (State.RUNNING, "space"): Pause(),
    (State.RUNNING, "p"): Pause(),
    (State.RUNNING, "r"): RedoLast(),
    (State.PAUSED, "space"): Resume(),
    (State.PAUSED, "p"): Resume(),
    (State.PAUSED, "r"): RedoLast(),
    (State.PAUSED, "a"): RedoAll(),
    (State.RESULT, "enter"): Keep(),
    (State.RESULT, "k"): Keep(),
    (State.RESULT, "a"): RedoAll(),
    (State.RESULT, "d"): Discard(),
}
_ANYWHERE: dict[str, Command] = {"escape": Abort(), "x": Abort()}
NAMES = tuple(sorted({key for _, key in _COMMANDS} | set(_ANYWHERE)))


def command_for(key: str, state: State) -> Command | None:
    """None for a key that means nothing now."""
    return _COMMANDS.get((state, key), _ANYWHERE.get(key))
