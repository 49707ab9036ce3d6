"""The protocol table: every message between headset and host, the single source of both ends.

`python -m psog.device.c_header` writes firmware/app/protocol.h from it; a test keeps the two equal.
docs/SPEC.md explains it. A frame is COBS(header · payload · CRC-32) and a zero byte.
"""

from __future__ import annotations

import struct
from enum import IntFlag

from psog.device.layout import Field, Message

PROTOCOL_VERSION = 6
HEADER = struct.Struct("<BBH")  # type, reserved (0), sequence number
CRC = struct.Struct("<I")
MAX_DATA = 192
MAX_PAYLOAD = 208
"""Longest payload; a frame on the wire is at most MAX_PAYLOAD + 8 + 2 bytes and its closing zero."""

_REPLY_TO = Field("reply_to", "u16", "sequence number of the command this answers")
_T_US = Field("t_us", "u64", "device time of the reading, microseconds")
_COUNT = Field("count", "u8", "elements in the array that follows")


class Stream(IntFlag):
    """What the device sends for every reading; off after start-up."""

    GAZE = 1
    FEATURES = 2
    SENSORS = 4
    TRIAL = 8


LIDS_FLOOR, LIDS_SHARE, LIDS_SINGLE_SHARE = 0.5, 0.8, 0.6
LIDS_SMOOTH_US, LIDS_RISE_US, LIDS_FALL_US = 15_000, 20_000, 500_000
"""When an eye is open (psog.device.lids); otherwise the gaze is not VALID, and tuning passes the reading by.
Of 16 simulated wearers whom the network did not know (docs/confidence.md) this leaves out 0.3 % of the
readings of open, resting eyes, and lids less than three quarters open are 0.32 % of what passes; a fixed
border of 0.8 leaves out 2.1 % and passes 0.38 %, and four of the wearers have places where their open eye
hardly counts."""

OPENNESS_BORDER = 0.8
"""Below this openness a reading alone, without those before it, counts as one of a closing eye.
Measured on 100 simulated users (ring16, 4,000 training steps, seed 999): below it lie all lids less than a
quarter open, 98 % of those up to half open, half of those up to three quarters, and 1 % of open eyes. A lid
less than three quarters open puts the gaze off by 10° and more."""


STILL_BIN_US, STILL_BINS, STILL_GAP_US = 10_000, 9, 50_000
STILL_STEPS_PER_DEG, STILL_FARTHEST_DEG, STILL_DRIFT_STEPS = 100, 180, 50
"""When an eye rests (psog.device.stillness). The halves of 100 ms are as long as a saccade of 15° takes
(2.42·15 + 12.8 ms, docs/movement.md); a gap as long would leave one of them without a reading. Half a
degree between their means is several times what the noise of readings leaves, and a drift of 10°/s; the eye's
own is below 1°/s. docs/calibration.md has what was measured."""


MOST_UNEXPLAINED = 0.1
"""Above this TUNE_RESULT's `unexplained` says, of two targets or more, that the wearer did not look at them
(PSOG_MOST_UNEXPLAINED in the firmware)."""


class GazeFlag(IntFlag):
    """Flags of GAZE and TRIAL."""

    VALID = 1
    """The lids are open (LIDS_FLOOR, LIDS_SHARE): the gaze can be trusted."""
    CALIBRATED = 2
    """The head belongs to a user (for TRIAL: is the candidate)."""
    SATURATED = 4
    """An eighth of the sensors or more are at the end of their range: too much light to trust the gaze."""
    STILL = 8
    """The eye is open and has rested for 100 ms, by the head in use (psog.device.stillness)."""


# Host to device: 0x01-0x3f. Sensor bus, between board and (virtual) sensors and display: 0x40-0x4f.
# Device to host: 0x80-0xbf. Every command is answered by ACK, except HELLO_REQUEST, by HELLO.
HELLO_REQUEST = Message(
    "HELLO_REQUEST", 0x01, (Field("protocol", "u16", "version the host speaks"),), "who are you?"
)
STREAM_SET = Message("STREAM_SET", 0x02, (Field("mask", "u8", "sum of Stream"),), "what to send per reading")
MODEL_BEGIN = Message(
    "MODEL_BEGIN",
    0x10,
    (
        Field("image_bytes", "u32", "length of the image, signature included"),
        Field("crc32", "u32", "the image's CRC-32 trailer"),
    ),
    "expect an image in the slot that is not in use, or the rest of one; MODEL_OFFSET says where to go on",
)
MODEL_DATA = Message(
    "MODEL_DATA",
    0x11,
    (Field("offset", "u32", "where the bytes belong; must continue the last"), _COUNT),
    "a piece of the image, at most 192 bytes; a multiple of 8 except for the last",
    tail="u8",
)
MODEL_COMMIT = Message(
    "MODEL_COMMIT", 0x12, (), "check the image, run its self-test and use it on trial: until the next start"
)
MODEL_CONFIRM = Message(
    "MODEL_CONFIRM", 0x13, (), "keep the model on trial; erases the calibrations of every other"
)
TUNE_BEGIN = Message("TUNE_BEGIN", 0x20, (), "start a calibration; forgets an unfinished one")
TUNE_TARGET = Message(
    "TUNE_TARGET",
    0x21,
    (
        Field("target_h_deg", "f32", "where the user looks"),
        Field("target_v_deg", "f32", "where the user looks"),
        Field("samples", "u16", "readings to add; those of an eye that is not still are passed over"),
    ),
    "add the next readings as one calibration target; TUNE_PROGRESS follows when they are in",
)
TUNE_SOLVE = Message("TUNE_SOLVE", 0x22, (), "fit the head; it becomes the trial head. TUNE_RESULT follows")
TUNE_ACCEPT = Message(
    "TUNE_ACCEPT", 0x23, (), "store the trial head and use it from now on, if it is better (NOT_BETTER)"
)
TUNE_DISCARD = Message("TUNE_DISCARD", 0x24, (), "forget the calibration in progress and the trial head")
CALIBRATION_ERASE = Message("CALIBRATION_ERASE", 0x25, (), "erase the stored calibration and standardisation")
TARGET_SHOW = Message(
    "TARGET_SHOW",
    0x26,
    (
        Field("target_h_deg", "f32", "where to draw it"),
        Field("target_v_deg", "f32", "where to draw it"),
        Field("visible", "u8", "0 hides it"),
    ),
    "have the headset's display show a calibration target",
)
CALIBRATION_READ = Message(
    "CALIBRATION_READ",
    0x27,
    (Field("offset", "u16", "where the piece begins"),),
    "tell a piece of the calibration in use; CALIBRATION_PIECE follows",
)
CALIBRATION_WRITE = Message(
    "CALIBRATION_WRITE",
    0x28,
    (
        Field("offset", "u16", "where the bytes belong; 0 begins, others continue the last"),
        Field("total", "u16", "length of the whole record"),
        Field("crc32", "u32", "CRC-32 of the whole record"),
        _COUNT,
    ),
    "a piece of a calibration record, at most 192 bytes; the last has it checked, stored and used",
    tail="u8",
)
TUNE_FORGET = Message(
    "TUNE_FORGET",
    0x29,
    TUNE_TARGET.fields[:2],
    "forget the target at this place, also while it is taken, so that it can be taken again",
)
STANDARDISE_BEGIN = Message(
    "STANDARDISE_BEGIN",
    0x2A,
    (Field("samples", "u16", "readings to measure; saturated ones are passed over"),),
    "measure how bright the sensors are while the wearer looks around; forgets a calibration in progress",
)
STANDARDISE_READ = Message(
    "STANDARDISE_READ", 0x2B, (), "how far is it, and what are the means? STANDARDISE_MEANS follows"
)
STANDARDISE_APPLY = Message(
    "STANDARDISE_APPLY",
    0x2C,
    (_COUNT,),
    "see each sensor as if this were its mean; stored, in the place of a calibration",
    tail="u16",
)
RESTART = Message("RESTART", 0x30, (), "restart the firmware")
STATUS_REQUEST = Message("STATUS_REQUEST", 0x31, (), "counters; STATUS follows")
TIME_REQUEST = Message("TIME_REQUEST", 0x32, (), "what does the device's clock show? TIME follows")
_LED_FIELDS = (
    Field("duty_percent", "u8", "share of the time that each emitter is on"),
    Field("current_ma", "u16", "through an emitter that is on; 0 is dark"),
)
LED_SET = Message("LED_SET", 0x33, _LED_FIELDS, "drive the emitters so until the next start")

READING = Message(
    "READING", 0x40, (_T_US, _COUNT), "one reading of all sensors, left-aligned to 16 bits", "u16"
)
DISPLAY = Message("DISPLAY", 0x41, TARGET_SHOW.fields, "what the display shows, for whoever plays the wearer")

ACK = Message(
    "ACK",
    0x80,
    (_REPLY_TO, Field("command", "u8", "type of the command"), Field("error", "i16", "DeviceErrorCode")),
    "a command was carried out, or why not",
)
HELLO = Message(
    "HELLO",
    0x81,
    (
        _REPLY_TO,
        Field("protocol", "u16", "version the device speaks"),
        Field("firmware", "u16", "firmware version, major · 256 + minor"),
        Field("board", "name16", "board name"),
        Field("headset", "name16", "headset of the installed model; empty without one"),
        Field("sensors", "u16", "sensors of the installed model"),
        Field("features", "u16", "features of the installed model"),
        Field("model_crc32", "u32", "CRC-32 trailer of the installed image; 0 without one"),
        Field("calibrated", "u8", "1 when a user's head is in use"),
        Field("paired", "u8", "1 when images for its core have paired layers"),
        Field("image_room", "u32", "bytes of the largest image that can be installed, signature included"),
        Field("model_version", "u32", "version counter of the installed image; 0 without one"),
        Field("trial", "u8", "1 when a restart would go back to the model before"),
        Field("development", "u8", "1 when models signed by the public development key are taken"),
        Field("standardised", "u8", "1 when its sensors are seen as STANDARDISE_APPLY has asked for"),
    ),
    "who I am",
)
STATUS = Message(
    "STATUS",
    0x82,
    (
        _REPLY_TO,
        Field("readings", "u32", "readings processed"),
        Field("bad_readings", "u32", "sensor frames with a bad CRC or length"),
        Field("bad_frames", "u32", "host frames with a bad CRC or length"),
        Field("dropped", "u32", "frames not sent because the link was full"),
        Field("hung_restarts", "u8", "restarts in a row because the firmware had hung or crashed"),
    ),
    "counters since start-up",
)
MODEL_OFFSET = Message(
    "MODEL_OFFSET",
    0x83,
    (_REPLY_TO, Field("offset", "u32", "bytes of the image that are there: where to go on")),
    "where an upload goes on; 0 for a new one",
)
TIME = Message(
    "TIME",
    0x84,
    (_REPLY_TO, Field("t_us", "u64", "device time now, by the clock of the readings, microseconds")),
    "the device's clock",
)
CALIBRATION_PIECE = Message(
    "CALIBRATION_PIECE",
    0x85,
    (
        _REPLY_TO,
        Field("offset", "u16", "where the bytes belong"),
        Field("total", "u16", "length of the whole record"),
        Field("crc32", "u32", "CRC-32 of the whole record"),
        _COUNT,
    ),
    "192 bytes of the record of the calibration in use, or what is left of it",
    tail="u8",
)
STANDARDISE_MEANS = Message(
    "STANDARDISE_MEANS",
    0x86,
    (
        _REPLY_TO,
        Field("wanted", "u16", "readings that STANDARDISE_BEGIN has asked for"),
        Field("added", "u16", "of these, measured so far"),
        Field("saturated", "u16", "passed over: too much light (GazeFlag.SATURATED); 65535: or more"),
        _COUNT,
    ),
    "mean of each sensor so far; 0 of one that has not changed (means can identify people)",
    tail="u16",
)
GAZE = Message(
    "GAZE",
    0x90,
    (
        _T_US,
        Field("gaze_h_deg", "f32", "right positive"),
        Field("gaze_v_deg", "f32", "up positive"),
        Field("openness", "f32", "0 closed, 1 open"),
        Field("expected_error_deg", "f32", "how far off the gaze is expected to be"),
        Field("flags", "u8", "GazeFlag"),
    ),
    "gaze by the head in use",
)
TRIAL = Message("TRIAL", 0x91, GAZE.fields, "gaze by the trial head, of the same reading")
FEATURES = Message("FEATURES", 0x92, (_T_US, _COUNT), "the network's int8 features", "i8")
SENSORS = Message("SENSORS", 0x93, (_T_US, _COUNT), "the reading itself (it can identify people)", "u16")
TUNE_PROGRESS = Message(
    "TUNE_PROGRESS",
    0xA0,
    (
        Field("added", "u16", "readings added for this target"),
        Field("rejected", "u16", "readings passed over: eye not open"),
        Field("saturated", "u16", "readings passed over: too much light (GazeFlag.SATURATED)"),
        Field("moving", "u16", "readings passed over: the eye is open but not still (GazeFlag.STILL)"),
    ),
    "the target's readings are in",
)
TUNE_RESULT = Message(
    "TUNE_RESULT",
    0xA1,
    (
        _REPLY_TO,
        Field("samples", "u32", "readings used"),
        Field("targets", "u16", "targets used"),
        Field("before_deg", "f32", "rms error on the calibration samples by the head without calibration"),
        Field("after_deg", "f32", "the same by the fitted head, on the samples it was fitted to"),
        Field(
            "left_out_deg", "f32", "rms over the targets of each one's rms error by a head fitted without it"
        ),
        Field("left_out_worst_deg", "f32", "that of the worst target"),
        Field("in_use_deg", "f32", "rms error on the kept calibration samples by what is in use"),
        Field("unexplained", "f32", "share of the targets' variance left by left-out gaze, worse axis"),
        Field("verdict", "i16", "what TUNE_ACCEPT will answer, DeviceErrorCode"),
    ),
    "the fit",
)

COMMANDS = (
    HELLO_REQUEST, STREAM_SET, MODEL_BEGIN, MODEL_DATA, MODEL_COMMIT, MODEL_CONFIRM, TUNE_BEGIN, TUNE_TARGET,
    TUNE_SOLVE, TUNE_ACCEPT, TUNE_DISCARD, CALIBRATION_ERASE, TARGET_SHOW, CALIBRATION_READ,
    CALIBRATION_WRITE, TUNE_FORGET, STANDARDISE_BEGIN, STANDARDISE_READ, STANDARDISE_APPLY, RESTART,
    STATUS_REQUEST, TIME_REQUEST, LED_SET,
)  # fmt: skip
SENSOR_BUS = (READING, DISPLAY)
REPORTS = (
    ACK, HELLO, STATUS, MODEL_OFFSET, TIME, CALIBRATION_PIECE, STANDARDISE_MEANS, GAZE, TRIAL, FEATURES,
    SENSORS, TUNE_PROGRESS, TUNE_RESULT,
)  # fmt: skip
BY_CODE = {message.code: message for message in (*COMMANDS, *SENSOR_BUS, *REPORTS)}
