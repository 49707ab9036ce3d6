"""What comes next in a calibration: a state machine that knows of no headset, page or terminal.

                 start              pause, trouble            all judged
        READY ──────────► RUNNING ◄──────────────► PAUSED    RUNNING ──► RESULT ──► ENDED
          ▲                  │ ▲       resume                   ▲  redo     │  keep, discard
          └──── AWAY ◄───────┘ └────────────────────────────────┴───────────┘
       returned      gone                redo a point, redo all

Abort leads to ENDED from everywhere. Whoever carries it out asks `step` what to do, does it, and tells what
came of it; a step that is no longer what `step` says is to be left.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from psog.calibration.targets import Target, TargetPlan


class State(Enum):
    """Where a calibration stands."""

    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    AWAY = "away"
    RESULT = "result"
    ENDED = "ended"


@dataclass(frozen=True)
class Start:
    """The wearer is ready."""


@dataclass(frozen=True)
class Pause:
    """Show nothing until Resume; what was being taken is taken again. `reason`: for the wearer to read."""

    reason: str = ""


@dataclass(frozen=True)
class Resume:
    """Go on after a pause."""


@dataclass(frozen=True)
class RedoPoint:
    """Take or judge one point again; `point` counts the calibration targets, then the validation targets."""

    point: int


@dataclass(frozen=True)
class RedoLast:
    """Take or judge the point before again."""


@dataclass(frozen=True)
class RedoAll:
    """Begin again with the first target."""


@dataclass(frozen=True)
class Keep:
    """Store the result in the headset."""


@dataclass(frozen=True)
class Discard:
    """Leave the headset as it was."""


@dataclass(frozen=True)
class Abort:
    """Stop, whatever happens now; the headset stays as it was."""


Command = Start | Pause | Resume | RedoPoint | RedoLast | RedoAll | Keep | Discard | Abort

_UNDER_WAY = frozenset({State.RUNNING, State.PAUSED, State.RESULT})
_ALLOWED: dict[type[Command], frozenset[State]] = {
    Start: frozenset({State.READY}),
    Pause: frozenset({State.RUNNING}),
    Resume: frozenset({State.PAUSED}),
    RedoPoint: _UNDER_WAY,
    RedoLast: _UNDER_WAY,
    RedoAll: _UNDER_WAY,
    Keep: frozenset({State.RESULT}),
    Discard: frozenset({State.RESULT}),
    Abort: frozenset(State) - {State.ENDED},
}


class Act(Enum):
    """What is to be done with a step."""

    WAIT = "wait for a command"
    BEGIN_AGAIN = "have the headset forget all targets"
    FORGET = "have the headset forget this target"
    TAKE = "take this calibration target"
    FIT = "have the headset fit the head"
    JUDGE = "judge this validation target"
    KEEP = "have the headset store the fitted head"
    DISCARD = "have the headset forget the fitted head"
    LEAVE = "leave the session without a decision"


@dataclass(frozen=True)
class Step:
    """What is to be done now; `point` is the target's number where there is one."""

    act: Act
    point: int = -1


class Flow:
    """Where a calibration stands and what comes next.

    Attributes:
        state: see above.
        note: for people: why it is paused or away, or why the result cannot be kept; empty where all is well.
        retaken: how often a point that had been finished was done again.
    """

    def __init__(self, plan: TargetPlan) -> None:
        self.points: tuple[Target, ...] = (*plan.calibration, *plan.validation)
        self.state = State.READY
        self.note = ""
        self.retaken = 0
        self._to_take = len(plan.calibration)
        self._decision = Act.LEAVE
        self._begin_again = False
        self._forget_all()

    @property
    def step(self) -> Step:
        """What to do now."""
        if self.state is State.ENDED:
            return Step(self._decision)
        return self._next if self.state is State.RUNNING else Step(Act.WAIT)

    @property
    def _next(self) -> Step:
        if self._begin_again:
            return Step(Act.BEGIN_AGAIN)
        if self._spoilt:
            return Step(Act.FORGET, self._spoilt[0])
        point = next((p for p in range(len(self.points)) if p not in self._done), len(self.points))
        if point < self._to_take:
            return Step(Act.TAKE, point)
        return Step(Act.JUDGE, point) if self._fitted else Step(Act.FIT)

    def number_of(self, point: int) -> tuple[int, int]:
        """Which of how many of its purpose it is, from 1."""
        if point < self._to_take:
            return point + 1, self._to_take
        return point - self._to_take + 1, len(self.points) - self._to_take

    def command(self, command: Command) -> str:
        """Follow a command; why it cannot be followed, empty when it was."""
        if self.state not in _ALLOWED[type(command)]:
            return f"{type(command).__name__} is not possible now: the calibration is {self.state.value}"
        match command:
            case Start() | Resume():
                self._go(State.RUNNING)
            case Pause(reason):
                self._go(State.PAUSED, reason)
            case RedoPoint(point):
                return self._redo(point)
            case RedoLast():
                return self._redo(self._done[-1]) if self._done else "no point is finished yet"
            case RedoAll():
                self._forget_all()
                self._begin_again = True
                self._go(State.RUNNING)
            case Keep() if self.note:
                return self.note
            case Keep():
                self._end(Act.KEEP)
            case Discard():
                self._end(Act.DISCARD)
            case Abort():
                self._end(Act.LEAVE)
        return ""

    def finished(self, step: Step) -> None:
        """A step that is not WAIT was carried out."""
        match step.act:
            case Act.BEGIN_AGAIN:
                self._begin_again = False
            case Act.FORGET:
                self._spoilt.remove(step.point)
            case Act.FIT:
                self._fitted = True
            case Act.TAKE | Act.JUDGE:
                self._done.append(step.point)

    @property
    def none_done(self) -> bool:
        return not self._done

    @property
    def all_judged(self) -> bool:
        return len(self._done) == len(self.points)

    def conclude(self, refusal: str) -> None:
        """All is judged. `refusal`: why the result cannot be kept, empty where it can."""
        self._go(State.RESULT, refusal)

    def trouble(self, why: str) -> None:
        """A point could not be finished: the wearer reads why, and goes on or stops."""
        self._go(State.PAUSED, why)

    def gone(self, why: str) -> None:
        """The headset has gone."""
        self._go(State.AWAY, why)

    def returned(self, note: str) -> None:
        """It is back. It remembers none of the targets."""
        self._forget_all()
        self._begin_again = False
        self._go(State.READY, note)

    def _redo(self, point: int) -> str:
        if point not in self._done:
            return f"point {point} is not finished yet; finished are {sorted(self._done)}"
        if point < self._to_take:
            if self._fitted:
                return "the head is fitted: its targets can only be taken again all together"
            self._spoilt.append(point)
        self._done.remove(point)
        self.retaken += 1
        self._go(State.RUNNING)
        return ""

    def _forget_all(self) -> None:
        self._done: list[int] = []
        self._spoilt: list[int] = []
        self._fitted = False

    def _end(self, decision: Act) -> None:
        self._decision = decision
        self._go(State.ENDED)

    def _go(self, state: State, note: str = "") -> None:
        self.state, self.note = state, note
