"""A headset without hardware: the real firmware on a board, fed by a source of readings."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from psog.device.client import open_headset
from psog.device.identity import model_crc32
from psog.device.installing import Progress
from psog.device.link import Link
from psog.errors import LinkError
from psog.firmware_export.installing import image_for_headset
from psog.virtual.boards import start_board
from psog.virtual.feeder import BATCH_S, Feeder
from psog.virtual.source import Source


class VirtualHeadset:
    """A board that runs the firmware, and a feeder for its sensors; a client opens `port`.

    A context manager; leaving it ends every process and thread it started.

    Args:
        board: name of a board, see `firmware_export.boards`.
        source: what the sensors read.
        image: model image to install at the start, unless the device has it already.
        flash: file that keeps the device's flash from one run to the next; without it a new device starts.
        speed: device seconds per second.
        paused: wait for `start_sensors` before feeding.
        batch_s: how often readings are sent.
    Raises (on entering):
        ToolchainError: the board cannot be built or started.
        DeviceError: the device refuses the image.
    """

    def __init__(
        self,
        board: str,
        source: Source,
        *,
        image: bytes | None = None,
        flash: Path | None = None,
        speed: float = 1.0,
        paused: bool = False,
        progress: Progress | None = None,
        batch_s: float = BATCH_S,
    ) -> None:
        self._board_name = board
        self._source = source
        self._image = image
        self._flash = flash
        self._speed = speed
        self._paused = paused
        self._progress = progress
        self._batch_s = batch_s

    def __enter__(self) -> VirtualHeadset:
        with contextlib.ExitStack() as cleanup:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="psog-")))
            self._board = cleanup.enter_context(
                start_board(self._board_name, self._flash or folder / "flash")
            )
            if self._image is not None:
                with self._explained():
                    _install(self._board.port, self._image, self._progress)
            bus = Link(self._board.sensors)
            cleanup.callback(bus.close)
            self._feeder = Feeder(bus, self._source, self._speed, self._batch_s)
            cleanup.callback(self._feeder.stop)
            if not self._paused:
                self._feeder.start()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    @property
    def port(self) -> str:
        """The serial port that a client opens."""
        return self._board.port

    def start_sensors(self) -> None:
        """Begin to feed; for a headset that was made `paused`."""
        self._feeder.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the source has ended; false when it has not by then.

        Raises:
            LinkError: the firmware has stopped.
        """
        with self._explained():
            return self._feeder.wait(timeout_s)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """When the board has ended, its own reason instead of what a link says."""
        try:
            yield
        except LinkError as error:
            why = self._board.complaint()
            if self._board.alive:
                raise
            raise LinkError(f"the virtual headset has stopped: {why or error}") from error


def _install(port: str, image: bytes, progress: Progress | None) -> None:
    """Uploading forgets the calibration, so a device that has the model already keeps both."""
    with open_headset(port) as headset:
        fitting = image_for_headset(image, headset.info)
        if headset.info.model_crc32 != model_crc32(fitting):
            headset.upload(fitting, progress)
