"""Installing a model: sent, gone on with where it broke off, tried, and confirmed once it works."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from psog.device import messages
from psog.device.conversation import CommandRefusedError, Conversation
from psog.device.error_codes import DeviceErrorCode
from psog.device.identity import model_crc32
from psog.device.messages import MAX_DATA, Stream
from psog.device.samples import GazeSample, sample_of
from psog.errors import DeviceError, LinkError

FLASH_TIMEOUT_S = 5.0
"""Erasing a 128 KiB sector of an STM32F405 takes up to 2 s (data sheet DS8626); the rest is reserve."""
_GAZE_TIMEOUT_S = 1.0
"""Without a gaze for so long, while readings come, a model does not work; a weak value."""
_DAMAGED = (DeviceErrorCode.SIGNATURE, DeviceErrorCode.CRC, DeviceErrorCode.IMAGE, DeviceErrorCode.SELF_TEST)

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all; first with where it goes on."""


class TrialFailedError(DeviceError):
    """A model was accepted by the headset but does not work there; it is not confirmed."""


def install(talk: Conversation, image: bytes, progress: Progress | None = None) -> None:
    """Send an image, have the headset try it, and confirm it. Streaming is off afterwards.

    Raises:
        TrialFailedError: it does not work; the headset goes back to the model before at its next start.
        CommandRefusedError: the headset refuses it and keeps the model before.
        LinkError: no answer; what has arrived stays there, and the next upload goes on behind it.
    """
    trailer = model_crc32(image)
    talk.command(messages.STREAM_SET, {"mask": 0})
    _send_and_commit(talk, image, trailer, progress)
    _try(talk, trailer)
    talk.command(messages.MODEL_CONFIRM, timeout_s=FLASH_TIMEOUT_S)


def _send_and_commit(talk: Conversation, image: bytes, trailer: int, progress: Progress | None) -> None:
    resumed_at = _send(talk, image, trailer, progress)
    try:
        _commit(talk)
    except CommandRefusedError as error:
        if error.code not in _DAMAGED or resumed_at == 0:
            raise
        _send(talk, image, trailer, progress)  # what an earlier upload left there was damaged
        _commit(talk)


def _send(talk: Conversation, image: bytes, trailer: int, progress: Progress | None) -> int:
    """Send what the headset lacks; how much it had."""
    wanted = {"image_bytes": len(image), "crc32": trailer}
    report = messages.MODEL_OFFSET
    start = talk.command(messages.MODEL_BEGIN, wanted, report=report, timeout_s=FLASH_TIMEOUT_S)["offset"]
    if progress is not None:
        progress(start, len(image))
    for offset in range(start, len(image), MAX_DATA):
        piece = image[offset : offset + MAX_DATA]
        talk.command(messages.MODEL_DATA, {"offset": offset}, piece, timeout_s=FLASH_TIMEOUT_S)
        if progress is not None:
            progress(offset + len(piece), len(image))
    return int(start)


def _commit(talk: Conversation) -> None:
    talk.command(messages.MODEL_COMMIT, timeout_s=FLASH_TIMEOUT_S)


def _try(talk: Conversation, trailer: int) -> None:
    try:
        runs = talk.hello()["model_crc32"]
        if runs != trailer:
            raise TrialFailedError(f"{_failed(talk)} it runs model {runs:08x}, expected {trailer:08x}")
        if _readings(talk) > 0:
            _see_gaze(talk)
    except LinkError as error:
        raise TrialFailedError(f"{_failed(talk)} {error}") from error


def _failed(talk: Conversation) -> str:
    return (
        f"the headset at {talk.link.port} does not work with this model and goes back to the one before, "
        "which it keeps:"
    )


def _see_gaze(talk: Conversation) -> None:
    """Wait for a gaze, as long as the sensors run."""
    before = _readings(talk)
    talk.command(messages.STREAM_SET, {"mask": int(Stream.GAZE)})
    frame = talk.next_streamed(time.monotonic() + _GAZE_TIMEOUT_S)
    talk.command(messages.STREAM_SET, {"mask": 0})
    talk.drop_samples()
    if frame is None and _readings(talk) > before:
        raise TrialFailedError(f"{_failed(talk)} readings come, but no gaze for {_GAZE_TIMEOUT_S:g} s")
    sample = None if frame is None else sample_of(frame)
    if isinstance(sample, GazeSample) and not math.isfinite(sample.gaze_h_deg + sample.gaze_v_deg):
        raise TrialFailedError(f"{_failed(talk)} its gaze is no number")


def _readings(talk: Conversation) -> int:
    return int(talk.command(messages.STATUS_REQUEST, report=messages.STATUS)["readings"])
