"""Why a headset refuses a command: the codes of ACK, and what each says to a person."""

from __future__ import annotations

from enum import IntEnum


class DeviceErrorCode(IntEnum):
    """What ACK reports; enum psog_error of the firmware."""

    OK = 0
    RANGE = -1
    LENGTH = -2
    STATE = -3
    IMAGE = -4
    HEADSET = -5
    SELF_TEST = -6
    FLASH = -7
    NO_MODEL = -8
    TOO_FEW = -9
    UNKNOWN = -10
    CRC = -11
    CORE = -12
    SIGNATURE = -13
    ROLLBACK = -14
    NOT_BETTER = -15
    OTHER_MODEL = -16
    LEAN = -17


ERROR_TEXT = {
    DeviceErrorCode.RANGE: "a value is out of range",
    DeviceErrorCode.LENGTH: "the message has the wrong length",
    DeviceErrorCode.STATE: "not possible in this state",
    DeviceErrorCode.IMAGE: "the model image is malformed",
    DeviceErrorCode.HEADSET: "the model is made for another headset",
    DeviceErrorCode.SELF_TEST: "the model does not reproduce its own test vector",
    DeviceErrorCode.FLASH: "writing flash failed",
    DeviceErrorCode.NO_MODEL: "no model is installed; run psog flash",
    DeviceErrorCode.TOO_FEW: "too few calibration samples",
    DeviceErrorCode.UNKNOWN: "this firmware does not know the command: it is older than this psog, or a "
    "recording that is replayed",
    DeviceErrorCode.CRC: "a checksum does not match",
    DeviceErrorCode.CORE: "the model is packed for another kind of core; send it with psog flash",
    DeviceErrorCode.SIGNATURE: "the model is signed by no key that this headset trusts; see psog keys",
    DeviceErrorCode.ROLLBACK: "the model is older than the confirmed one",
    DeviceErrorCode.NOT_BETTER: "the calibration is not better than what is in use",
    DeviceErrorCode.OTHER_MODEL: "the calibration belongs to another model",
    DeviceErrorCode.LEAN: "the firmware was built lean, for another model, and has no code for this one; "
    "build it for this one, or in full",
}
