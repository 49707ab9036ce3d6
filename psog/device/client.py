"""A headset as a program sees it: `with open_headset(port) as headset: …`."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Iterator, Sequence
from types import TracebackType

from psog.device import messages
from psog.device.answers import DeviceInfo, DeviceStatus, TuneProgress, TuneResult, WearMeans, device_info
from psog.device.calibration_record import Calibration, read_record, write_record
from psog.device.clock import Line
from psog.device.conversation import BYTES, Conversation
from psog.device.frames import Frame
from psog.device.installing import FLASH_TIMEOUT_S, Progress, TrialFailedError, install
from psog.device.layout import Message
from psog.device.link import Link
from psog.device.losses import Losses
from psog.device.messages import Stream
from psog.device.samples import Sample, sample_of
from psog.device.timekeeping import TimeKeeper
from psog.device.transport import SerialTransport
from psog.errors import DeviceError, LinkError, ProtocolError

_RESTART_TIMEOUT_S = 10.0
_RESTART_POLL_S = 0.25
_TUNE_TIMEOUT_S = 10.0


def open_headset(port: str, *, timeout_s: float = 1.0) -> Client:
    """Open the headset at a serial port and check that it speaks this protocol version.

    Args:
        timeout_s: how long one answer may take before a command is repeated (three tries).
    Raises:
        LinkError: the port cannot be opened, or nothing there answers as a headset.
        ProtocolError: the other end speaks another protocol version.
    """
    return Client(port, timeout_s=timeout_s)


def silence(port: str, waited_s: float) -> LinkError:
    """What to say of a headset that answers and streams nothing."""
    return LinkError(
        f"the headset at {port} sent no sample for {waited_s:g} s; "
        "check that its sensors run and that streaming is on"
    )


class Client:
    """An open headset; closing it turns off whatever it streams. For one thread at a time.

    Every method raises LinkError when the headset does not answer or has gone, and CommandRefusedError
    (a DeviceError) when it answers with an error.
    """

    def __init__(self, port: str, *, timeout_s: float = 1.0, hello_timeout_s: float | None = None) -> None:
        self.port = port
        self._timeout_s = timeout_s
        self._closed = False
        self._keeper: TimeKeeper | None = None
        self._talk = self._connect(hello_timeout_s)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Turn streaming off, if the headset still listens, and give the port back. Idempotent."""
        if self._closed:
            return
        self._closed = True
        try:
            self._talk.command(messages.STREAM_SET, {"mask": 0}, tries=1)
        except (LinkError, DeviceError):
            pass  # it has gone: there is nothing left to turn off
        finally:
            self._talk.link.close()

    @property
    def info(self) -> DeviceInfo:
        """Who the headset is, as it said last."""
        return self._info

    @property
    def losses(self) -> Losses:
        """Frames received, lost and damaged since opening or restart."""
        return self._talk.link.losses

    def hello(self) -> DeviceInfo:
        """Ask the headset who it is now."""
        self._info = device_info(self._talk.hello())
        return self._info

    def status(self) -> DeviceStatus:
        """The firmware's counters since its start-up."""
        values = self._talk.command(messages.STATUS_REQUEST, report=messages.STATUS)
        return DeviceStatus(*(values[name] for name in DeviceStatus._fields))

    def set_leds(self, duty_percent: int, current_ma: int) -> None:
        """Drive the emitters otherwise than the firmware does by itself, until its next start.

        Args:
            duty_percent: share of the time that each emitter is on. current_ma: meanwhile; 0 is dark.
        Raises:
            DeviceError: that is more than the limits of the firmware.
        """
        self._command(messages.LED_SET, duty_percent=duty_percent, current_ma=current_ma)

    def stream(self, what: Stream) -> None:
        """Have every reading sent as `what` from now on; Stream(0) ends it."""
        self._command(messages.STREAM_SET, mask=int(what))

    def samples(
        self, *, seconds: float | None = None, count: int | None = None, timeout_s: float = 2.0
    ) -> Iterator[Sample]:
        """What the headset streams, in order, those first that arrived while nobody asked.

        Args:
            seconds: stop before the first sample this much later than the first one, by the device's clock.
            count: stop after this many.
            timeout_s: how long to wait for one sample.
        Raises:
            LinkError: no sample came in time, or the headset has gone.
        """
        given, end_us = 0, None
        while count is None or given < count:
            frame = self._talk.next_streamed(time.monotonic() + timeout_s)
            if frame is None:
                raise silence(self.port, timeout_s)
            sample = sample_of(frame)
            if seconds is not None:
                end_us = sample.t_us + round(seconds * 1e6) if end_us is None else end_us
                if sample.t_us >= end_us:
                    self._talk.return_streamed(frame)
                    return
            given += 1
            yield sample

    def linger(self, pause_s: float) -> None:
        """Read from the port only so often: less of the computer's time, and as much more latency."""
        self._talk.link.linger_s = pause_s

    def take_frames(self) -> list[Frame]:
        """The streamed frames that have arrived, in order, as they came; waits for none."""
        return self._talk.take_streamed()

    def keep_time(self) -> None:
        """Follow the device's clock from now on: by some probes now, and as long as samples are fetched.

        Probes and how host times come from them: psog.device.clock. Unless a reading has come in yet, times
        are known only after a moment of fetching.
        """
        self._keeper = TimeKeeper()
        self._talk.keep_time(self._keeper)

    def host_time_s(self, t_us: int) -> float | None:
        """When the device's clock showed `t_us`, by this computer's time.monotonic; never decreasing for
        samples in their order. None while it is not known, or without `keep_time`."""
        return None if self._keeper is None else self._keeper.host_time_s(t_us)

    def wall_time_s(self, t_us: int) -> float | None:
        """The same as seconds since 1970, by the computer's clock as it stood at `keep_time`."""
        return None if self._keeper is None else self._keeper.wall_time_s(t_us)

    @property
    def clock_line(self) -> Line | None:
        """The device's clock against time.monotonic; None while it is not known, or without `keep_time`."""
        return None if self._keeper is None else self._keeper.clock.line

    def drop_samples(self) -> None:
        """Forget the samples that have arrived, so that `samples` begins with what is sent from now on."""
        self._talk.drop_samples()

    def show_target(self, h_deg: float, v_deg: float) -> None:
        """Have the headset's display show a calibration target."""
        self._command(messages.TARGET_SHOW, target_h_deg=h_deg, target_v_deg=v_deg, visible=1)

    def hide_target(self) -> None:
        """Have the display show nothing."""
        self._command(messages.TARGET_SHOW, target_h_deg=0.0, target_v_deg=0.0, visible=0)

    def tune_begin(self) -> None:
        """Start a calibration on the device; an unfinished one is forgotten."""
        self._command(messages.TUNE_BEGIN)

    def tune_target(
        self, h_deg: float, v_deg: float, samples: int, *, timeout_s: float = _TUNE_TIMEOUT_S
    ) -> TuneProgress:
        """Add the next `samples` readings as one target, and wait until they are in.

        What is streamed meanwhile is not lost: `samples()` gives it afterwards.

        Raises:
            LinkError: the readings are not in after `timeout_s`.
        """
        self.tune_target_begin(h_deg, v_deg, samples)
        progress = self.tune_progress(timeout_s)
        if progress is None:
            raise LinkError(
                f"the headset at {self.port} did not see {samples} readings of an open eye at rest in "
                f"{timeout_s:g} s; check that it is worn, then repeat the target"
            )
        return progress

    def tune_target_begin(self, h_deg: float, v_deg: float, samples: int) -> None:
        """The same without waiting; `tune_progress` says when they are in."""
        self._talk.drop_progress()
        self._command(messages.TUNE_TARGET, target_h_deg=h_deg, target_v_deg=v_deg, samples=samples)

    def tune_progress(self, timeout_s: float = 0.0) -> TuneProgress | None:
        """What became of the target's readings; None when they are not in by then."""
        values = self._talk.next_progress(time.monotonic() + timeout_s)
        return None if values is None else TuneProgress(*(values[name] for name in TuneProgress._fields))

    def tune_forget(self, h_deg: float, v_deg: float) -> None:
        """Forget the target that `tune_target` took at this place, or is taking.

        Raises:
            DeviceError: there is none, or the calibration is solved.
        """
        self._command(messages.TUNE_FORGET, target_h_deg=h_deg, target_v_deg=v_deg)

    def tune_solve(self) -> TuneResult:
        """Fit the head to the targets; it becomes the trial head (see Stream.TRIAL)."""
        values = self._talk.command(messages.TUNE_SOLVE, report=messages.TUNE_RESULT)
        return TuneResult(*(values[name] for name in TuneResult._fields))

    def tune_accept(self) -> None:
        """Store the trial head in the device's flash and use it from now on."""
        self._command(messages.TUNE_ACCEPT, timeout_s=FLASH_TIMEOUT_S)

    def tune_discard(self) -> None:
        """Forget the calibration in progress and the trial head; the stored one stays."""
        self._command(messages.TUNE_DISCARD)

    def standardise_begin(self, samples: int) -> None:
        """Have the device measure its sensors in the next readings, while the wearer looks around.

        A calibration in progress is forgotten; `tune_discard` gives this up.

        Args:
            samples: 1 to psog.device.standardising.MOST_READINGS.
        """
        self._command(messages.STANDARDISE_BEGIN, samples=samples)

    def standardise_means(self) -> WearMeans:
        """How far it is, and the means so far. They say something of the wearer's eye."""
        values = self._talk.command(messages.STANDARDISE_READ, report=messages.STANDARDISE_MEANS)
        means = struct.unpack(f"<{values['count']}H", values[BYTES])
        return WearMeans(values["wanted"], values["added"], values["saturated"], means)

    def standardise_apply(self, trained: Sequence[int]) -> DeviceInfo:
        """See each sensor as if its mean were that of the training from now on, and keep that in flash.

        A calibration goes with that: it was made of what the network saw before. `calibration_erase` forgets
        this.

        Args:
            trained: the mean of each sensor on the wire; 0 leaves a sensor as it is.
        Raises:
            DeviceError: not all readings are measured yet, or it is not as many sensors.
        """
        tail = struct.pack(f"<{len(trained)}H", *trained)
        self._talk.command(messages.STANDARDISE_APPLY, tail=tail, timeout_s=FLASH_TIMEOUT_S)
        return self.hello()

    def calibration_erase(self) -> None:
        """Erase the calibration stored on the device, and its standardisation."""
        self._command(messages.CALIBRATION_ERASE, timeout_s=FLASH_TIMEOUT_S)

    def read_calibration(self) -> Calibration:
        """The calibration in use, to be kept elsewhere or written back. It says something of its user's eye.

        Raises:
            DeviceError: none is in use.
        """
        return Calibration.from_bytes(read_record(self._talk))

    def write_calibration(self, calibration: Calibration) -> DeviceInfo:
        """Store a calibration in the device's flash and use it from now on.

        Raises:
            DeviceError: it belongs to another model, or a model is on trial or a calibration in progress.
        """
        write_record(self._talk, calibration.to_bytes())
        return self.hello()

    def upload(self, image: bytes, progress: Progress | None = None) -> DeviceInfo:
        """Install a model image; streaming is off afterwards.

        An upload that broke off goes on where it did. The headset checks the image and tries it; it is
        confirmed when the headset answers with it and, while sensors run, gaze comes.

        Args:
            image: a whole .psog image, its CRC-32 trailer included.
            progress: told where the upload begins, and about every piece that has arrived.
        Raises:
            DeviceError: the headset refuses the image, or does not work with it; it keeps the model before.
        """
        try:
            install(self._talk, image, progress)
        except TrialFailedError:
            with contextlib.suppress(LinkError):  # a headset that hangs restarts by itself
                self.restart()
            raise
        return self.hello()

    def restart(self, timeout_s: float = _RESTART_TIMEOUT_S) -> DeviceInfo:
        """Restart the firmware and connect again; streaming is off afterwards.

        Raises:
            LinkError: the headset is not back after `timeout_s`.
        """
        self._command(messages.RESTART)
        self._talk.link.close()
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                self._talk = self._connect(_RESTART_POLL_S)
                if self._keeper is not None:
                    self.keep_time()
                return self._info
            except ProtocolError:
                raise
            except LinkError as error:
                if time.monotonic() >= deadline_s:
                    raise LinkError(f"the headset did not come back after its restart: {error}") from error

    def _connect(self, poll_s: float | None = None) -> Conversation:
        link = Link(SerialTransport(self.port))
        try:
            link.send_bytes(b"\0")  # ends whatever half frame an earlier program left behind
            talk = Conversation(link, self._timeout_s)
            self._info = device_info(talk.hello(poll_s))
            talk.command(messages.STREAM_SET, {"mask": 0})
            talk.drop_samples()
            link.forget_losses()
        except BaseException:
            link.close()
            raise
        return talk

    def _command(self, message: Message, *, timeout_s: float | None = None, **values: float) -> None:
        self._talk.command(message, values, timeout_s=timeout_s)
