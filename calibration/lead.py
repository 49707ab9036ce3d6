"""Pages and renderers that lead a calibration: they give its commands and are told what happens."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from psog.calibration.event_json import as_message
from psog.calibration.events import Event, Stands
from psog.calibration.flow import Abort, Pause, RedoPoint, Start, State
from psog.calibration.guide import Guide
from psog.calibration.keys import command_for
from psog.calibration.renderer import Renderer
from psog.calibration.targets import TargetPlan
from psog.calibration.viewing import Viewing, outside
from psog.tables import Table
from psog.web.channel import Channel, Client, Joined, Left, Received

_POLL_S = 0.1
_LASTING = ("stands", "judged", "fits")
"""Messages whose last one a page that joins late has to know."""


Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Shown(Table):
    """The target of this number is drawn."""

    number: int


class Key(Table):
    """A key was pressed, or the button that stands for it: psog.calibration.keys."""

    key: str


class Redo(Table):
    """Take or judge this point again."""

    point: int


class Window(Table):
    """How much of the screen is the page's, in its own pixels."""

    width: Length
    height: Length
    screen_width: Length
    screen_height: Length


class Role(NamedTuple):
    """What those at a channel do.

    Attributes:
        name: of them, for people.
        draws: whether they draw the targets.
    """

    name: str
    draws: bool


class Lead:
    """Those at one channel, a page or a renderer, as the leaders of a guide. An observer.

    While somebody draws the targets and then nobody does any more, the calibration pauses; after `patience_s`
    alone it is aborted.

    Args:
        setup: told to everybody who joins, as the message `setup`.
        viewing: where the targets lie on the display.
    """

    def __init__(
        self, role: Role, setup: dict[str, Any], plan: TargetPlan, viewing: Viewing, patience_s: float
    ) -> None:
        self._role = role
        self._setup = setup
        self._plan = plan
        self._viewing = viewing
        self._patience_s = patience_s
        self._last: dict[str, dict[str, Any]] = {}
        self._outside = 0
        self._drew: set[int] = set()
        """Who has drawn the last target that was drawn."""
        self._alone_since_s: float | None = None
        self.left_alone = False
        accepts: dict[str, type[Table]] = {"shown": Shown, "key": Key, "redo": Redo, "window": Window}
        self.channel = Channel(accepts, greet=self._greet)
        self.renderer = Renderer(self.channel.send, viewing)

    @property
    def draws(self) -> bool:
        """Whether those at this channel draw the targets."""
        return self._role.draws

    def follow(self, event: Event) -> None:
        """Tell everybody. See Observer."""
        self._tell(*as_message(event, self._plan.field_deg))
        self.renderer.follow(event)

    @contextlib.contextmanager
    def leading(self, guide: Guide) -> Iterator[None]:
        """Give the guide what is commanded, as long as the context lasts."""
        over = threading.Event()

        def attend() -> None:
            while not over.is_set():
                item = self.channel.receive(_POLL_S)
                if item is not None:
                    self._take(item, guide)
                self._look_after_leaving(guide)

        thread = threading.Thread(target=attend, name=f"psog {self._role.name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _take(self, item: Joined | Left | Received, guide: Guide) -> None:
        if isinstance(item, Joined):
            self._alone_since_s = None
        elif isinstance(item, Left):
            if not self.channel.clients and self._role.draws:
                self._alone_since_s = time.monotonic()
            if self._drew == {item.client.number}:
                guide.give(Pause(f"the {self._role.name} was closed"))
            self._drew.discard(item.client.number)
        else:
            self._obey(item, guide)

    def _obey(self, received: Received, guide: Guide) -> None:
        match received.message:
            case Shown(number=number):
                if self.renderer.shown(number):
                    self._drew.clear()
                self._drew.add(received.client.number)
            case Key(key=key):
                command = command_for(key, guide.flow.state)
                if isinstance(command, Start) and self._outside:
                    received.client.send("command_refused", why=self._too_small())
                elif command is not None:
                    guide.give(command)
            case Redo(point=point):
                guide.give(RedoPoint(point))
            case Window() as window:
                self._fit(window, guide)

    def _fit(self, window: Window, guide: Guide) -> None:
        shown = (window.width / window.screen_width, window.height / window.screen_height)
        targets = (*self._plan.calibration, *self._plan.validation)
        self._outside = outside(self._viewing, targets, shown) if self._viewing.to_scale else 0
        self._tell("fits", {"outside": self._outside, "why": self._too_small() if self._outside else ""})
        if self._outside and guide.flow.state is State.RUNNING:
            guide.give(Pause(self._too_small()))

    def _too_small(self) -> str:
        total = len(self._plan.calibration) + len(self._plan.validation)
        return f"{self._outside} of {total} targets lie outside this window: press F for the full screen"

    def _look_after_leaving(self, guide: Guide) -> None:
        alone_s = 0.0 if self._alone_since_s is None else time.monotonic() - self._alone_since_s
        if alone_s > self._patience_s and guide.flow.state is not State.ENDED and not self.left_alone:
            self.left_alone = True
            guide.give(Abort())

    def _tell(self, kind: str, values: dict[str, Any]) -> None:
        if kind in _LASTING:
            self._last.pop(kind, None)  # the order is kept too
            self._last[kind] = values
        if kind == Stands.__name__.lower() and values["state"] == State.RUNNING.value:
            self._last.pop("judged", None)
        self.channel.send(kind, **values)

    def _greet(self, client: Client) -> None:
        client.send("setup", draws=self._role.draws, **self._setup)
        for kind, values in list(self._last.items()):
            client.send(kind, **values)
        if self.renderer.now is not None:
            client.send("show", **self.renderer.now)
