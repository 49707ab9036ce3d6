"""Leads a wearer through a calibration: carries out what the flow says, on the headset."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable

from psog.calibration.collect import UnusableTargetError
from psog.calibration.display import Display
from psog.calibration.events import (
    CommandRefused,
    Decided,
    Event,
    Fitted,
    Judged,
    Observer,
    PointJudged,
    PointTaken,
    Stands,
)
from psog.calibration.flow import Act, Command, Discard, Flow, Keep, Start, State, Step
from psog.calibration.interruption import Check, Interrupted
from psog.calibration.quality import Quality
from psog.calibration.report import CalibrationReport, Wearing
from psog.calibration.session import CalibrationSession, Settings
from psog.calibration.targets import TargetPlan
from psog.device.client import Client
from psog.errors import LinkError, ProtocolError

_POLL_S = 0.1

Reopen = Callable[[Check], Client]
"""Waits until the headset is back; raises LinkError when that takes too long, and what the Check raises."""
Decide = Callable[[Judged], bool]
"""Whether to keep the fitted head, asked when before and after are known and it is the better one."""


class Guide:
    """One calibration from the first target to the decision, as commands from any thread say.

    Args:
        client: an open headset with a model.
        observer: told every event, in the thread of `run`; it may give commands.
        display: draws the targets; see CalibrationSession.
        reopen: finds the headset again when it has gone; without it, its going is the end.
        patient: a target that cannot be used is a pause; else the end.
    """

    def __init__(
        self,
        client: Client,
        plan: TargetPlan,
        settings: Settings,
        observer: Observer,
        *,
        display: Display | None = None,
        reopen: Reopen | None = None,
        patient: bool = True,
    ) -> None:
        self.flow = Flow(plan)
        self._info = client.info
        self._plan = plan
        self._tell = observer
        self._reopen = reopen
        self._patient = patient
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._step = Step(Act.WAIT)
        self._session = CalibrationSession(client, settings, observer, display=display, check=self._check)
        self._taken: dict[int, PointTaken] = {}
        self._judged: dict[int, PointJudged] = {}
        self._fitted: Fitted | None = None
        self._began_s = self._ended_s = 0.0

    def give(self, command: Command) -> None:
        """Have a command followed as soon as possible; CommandRefused tells when it cannot be."""
        self._commands.put(command)

    def run(self) -> CalibrationReport | None:
        """Until the decision; None when it was aborted.

        Raises:
            UnusableTargetError: a target could not be used, and this guide is not patient.
            LinkError, DeviceError: the headset has gone for good, or refuses.
        """
        with self._session:
            self._stand()
            while (step := self.flow.step).act not in (Act.KEEP, Act.DISCARD, Act.LEAVE):
                self._step = step
                try:
                    self._carry_out(step)
                except Interrupted:
                    continue
                except UnusableTargetError as error:
                    if not self._patient:
                        raise
                    self.flow.trouble(error.found)
                    self._stand()
                except ProtocolError:
                    raise
                except LinkError as error:
                    self._await_return(error)
            if step.act is Act.LEAVE:
                return None
            return self._report(self._session.decide(accept=step.act is Act.KEEP))

    def _carry_out(self, step: Step) -> None:
        match step.act:
            case Act.WAIT:
                self._wait()
                return
            case Act.BEGIN_AGAIN:
                self._session.begin_again()
            case Act.FORGET:
                self._session.forget(self.flow.points[step.point])
            case Act.TAKE:
                self._began_s = time.monotonic() if self.flow.none_done else self._began_s
                target = self.flow.points[step.point]
                self._taken[step.point] = self._session.take(target, *self.flow.number_of(step.point))
            case Act.FIT:
                self._fitted = self._session.fit()
            case Act.JUDGE:
                target = self.flow.points[step.point]
                self._judged[step.point] = self._session.judge(target, *self.flow.number_of(step.point))
        self.flow.finished(step)
        if self.flow.all_judged:
            self._ended_s = time.monotonic()
            self._tell(self._quality())
            self.flow.conclude(self._session.refusal())
            self._stand()

    def _wait(self) -> None:
        """For a command; the headset is looked after meanwhile."""
        self._session.rest()
        with contextlib.suppress(queue.Empty):
            self._follow(self._commands.get(timeout=_POLL_S))

    def _check(self) -> None:
        """Follow what was commanded; leave the step if it is another one's turn now."""
        while not self._commands.empty():
            self._follow(self._commands.get())
        if self.flow.step != self._step:
            raise Interrupted

    def _follow(self, command: Command) -> None:
        refused = self.flow.command(command)
        if refused:
            self._tell(CommandRefused(refused))
        else:
            self._stand()

    def _await_return(self, error: LinkError) -> None:
        if self._reopen is None:
            raise error
        self.flow.gone(str(error))
        self._stand()
        self._step = self.flow.step
        while True:
            try:
                client = self._reopen(self._check)
            except Interrupted:
                return
            with contextlib.suppress(LinkError):  # gone again already
                self._session.begin_again(client)
                break
        self.flow.returned("the headset is back; what it had taken is lost, so begin again")
        self._stand()

    def _stand(self) -> None:
        self._tell(Stands(self.flow.state, self.flow.note))

    def _quality(self) -> Judged:
        points = [self._judged[point] for point in sorted(self._judged)]
        return Judged(
            before=Quality(tuple(point.before for point in points)),
            after=Quality(tuple(point.after for point in points)),
        )

    def _report(self, decided: Decided) -> CalibrationReport:
        assert self._fitted is not None
        info = self._info
        judged = self._quality()
        return CalibrationReport(
            wearing=Wearing(info.headset, info.board, info.model_crc32, info.calibrated),
            plan=self._plan,
            taken=tuple(self._taken[point] for point in sorted(self._taken)),
            fitted=self._fitted,
            before=judged.before,
            after=judged.after,
            accepted=decided.accepted,
            refusal=decided.refusal,
            seconds=self._ended_s - self._began_s,
            retaken=self.flow.retaken,
            looks=self._session.looks,
        )


def run_session(
    client: Client,
    plan: TargetPlan,
    settings: Settings,
    decide: Decide,
    observer: Observer,
    *,
    attending: Callable[[Guide], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
) -> CalibrationReport:
    """A whole session in order: take every target, fit, judge, decide. Raises as Guide.run.

    Args:
        attending: whoever gives the guide commands meanwhile, none of them Abort, as a context.
    """

    def watch(event: Event) -> None:
        observer(event)
        match event:
            case Judged():
                judged.append(event)
            case Stands(State.READY):
                guide.give(Start())
            case Stands(State.RESULT, refusal):
                guide.give(Keep() if not refusal and decide(judged[-1]) else Discard())

    judged: list[Judged] = []
    guide = Guide(client, plan, settings, watch, patient=False)
    with attending(guide):
        report = guide.run()
    assert report is not None  # nobody aborts
    return report
