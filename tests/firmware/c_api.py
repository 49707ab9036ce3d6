"""The runtime's C interface as ctypes sees it, for what HostRuntime does not cover."""

from __future__ import annotations

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char,
    c_float,
    c_int,
    c_int8,
    c_int32,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_void_p,
)

from psog.firmware_export.keys import DEVELOPMENT_KEY
from psog.firmware_export.toolchain import build_library

ACTIVATIONS = 16384
RECORD = 4096
NO_SLOT = 2
NEWEST, OLDER, SETTLED = 0, 1, 2

Program = CFUNCTYPE(c_int, c_void_p, c_uint32, POINTER(c_uint8), c_uint32)
Erase = CFUNCTYPE(c_int, c_void_p, c_uint32, c_uint32)


class Frame(Structure):
    """struct psog_frame."""

    _fields_ = (
        ("type", c_uint8),
        ("sequence", c_uint16),
        ("payload", c_void_p),
        ("payload_size", c_size_t),
    )


class Receiver(Structure):
    """struct psog_frame_receiver."""

    _fields_ = (("bytes", c_uint8 * 218), ("count", c_uint16), ("overflow", c_bool))


class Flash(Structure):
    """struct psog_flash."""

    _fields_ = (
        ("memory", POINTER(c_uint8)),
        ("size_bytes", c_uint32),
        ("erase_bytes", c_uint32),
        ("program_bytes", c_uint32),
        ("erased", c_uint8),
        ("context", c_void_p),
        ("program", Program),
        ("erase", Erase),
    )


class Trust(Structure):
    """struct psog_trust."""

    _fields_ = (("keys", c_uint8 * 32 * 2), ("key_count", c_uint8), ("headset", c_char * 16))


def trust(*keys: bytes, headset: str = "") -> Trust:
    """Of these public keys."""
    filled = (c_uint8 * 32 * 2)(*((c_uint8 * 32)(*key) for key in keys))
    return Trust(filled, len(keys), headset.encode())


class Store(Structure):
    """struct psog_store."""

    _fields_ = (
        ("flash", POINTER(Flash)),
        ("trust", POINTER(Trust)),
        ("model_slot_bytes", c_uint32),
        ("calibration_slot_bytes", c_uint32),
    )


class Installed(Structure):
    """struct psog_installed."""

    _fields_ = (("slot", c_uint8), ("trial", c_bool))


class Kept(Structure):
    """struct psog_kept."""

    _fields_ = (
        ("rows", POINTER(c_float)),
        ("biases", POINTER(c_int32)),
        ("normalisation", POINTER(c_int32)),
        ("shift", c_uint8),
    )


class Upload(Structure):
    """struct psog_upload."""

    _fields_ = (
        ("store", POINTER(Store)),
        ("slot", c_uint8),
        ("image_bytes", c_uint32),
        ("crc32", c_uint32),
        ("received", c_uint32),
    )


class Model(Structure):
    """struct psog_model; Python looks at its identity alone."""

    _fields_ = (
        ("counts", c_uint16 * 5),
        ("small", c_uint8 * 6),
        ("pointers", c_void_p * 7),
        ("image_bytes", c_uint32),
        ("crc32", c_uint32),
        ("activation_bytes", c_uint32),
        ("feature_scale", c_float),
        ("feature_zero", c_uint32),
        ("ridge", c_float),
        ("calibration_ln", c_float),
        ("field_deg", c_float * 2),
    )


class SimulatedFlash:
    """NOR flash in memory: erasing sets bits, programming clears them; may lose power on the way.

    Attributes:
        power: operations, in units and blocks, until the power goes; None for never.
        erases: of each block.
    """

    def __init__(
        self, size: int = 64 * 1024, erase: int = 1024, program: int = 8, erased: int = 0xFF
    ) -> None:
        self.memory = (c_uint8 * size)(*([erased] * size))
        self.power: int | None = None
        self.operations = 0
        self.erases = [0] * (size // erase)
        self._geometry = (size, erase, program, erased)
        self._callbacks = (Program(self._program), Erase(self._erase))
        self.region = Flash(self.memory, size, erase, program, erased, None, *self._callbacks)

    def _spend(self) -> bool:
        self.operations += 1
        if self.power is None:
            return True
        self.power -= 1
        return self.power >= 0

    def _program(self, _context, offset, data, size):
        _, _, unit, erased = self._geometry
        assert offset % unit == 0
        assert size % unit == 0
        for at in range(0, size, unit):
            if not self._spend():
                return -7
            for i in range(at, at + unit):
                both = self.memory[offset + i], data[i]
                self.memory[offset + i] = both[0] & both[1] if erased else both[0] | both[1]
        return 0

    def _erase(self, _context, offset, size):
        _, block, _, erased = self._geometry
        assert offset % block == 0
        assert size % block == 0
        for at in range(offset, offset + size, block):
            if not self._spend():
                return -7
            self.erases[at // block] += 1
            ctypes.memset(ctypes.addressof(self.memory) + at, erased, block)
        return 0


def library() -> ctypes.CDLL:
    """The runtime."""
    return ctypes.CDLL(str(build_library()))


class Device:
    """Storage of a device over a flash: what the application does with it, without the application."""

    def __init__(self, flash: SimulatedFlash) -> None:
        self.c = library()
        self.flash = flash
        self.store = Store()
        self.trust = trust(DEVELOPMENT_KEY.public)
        assert self.c.psog_store_open(byref(self.store), byref(flash.region), byref(self.trust)) == 0
        self.activations = (c_int8 * ACTIVATIONS)()
        self.start()

    def start(self, choice: int = NEWEST) -> int:
        """As after power-on; the error of finding a model, or of making sure of what was found."""
        self.flash.power = None
        self.upload = Upload(slot=NO_SLOT)
        return self.find(choice) or self.settle()

    def find(self, choice: int) -> int:
        self.model, self.installed = Model(), Installed()
        error = self.c.psog_store_find_model(
            byref(self.store), choice, byref(self.model), c_size_t(ACTIVATIONS), byref(self.installed)
        )
        return int(error)

    def settle(self) -> int:
        error = self.c.psog_store_clear(byref(self.store), self.installed)
        error = error or self.c.psog_store_settle(byref(self.store), byref(self.model), byref(self.installed))
        return int(error or self.c.psog_calibration_settle(byref(self.store), byref(self.model)))

    def confirm(self) -> int:
        return int(self.c.psog_store_confirm(byref(self.store), byref(self.model), byref(self.installed)))

    def begin(self, image: bytes, crc32: int) -> int:
        return int(
            self.c.psog_upload_begin(byref(self.upload), byref(self.store), self.installed, len(image), crc32)
        )

    def add(self, offset: int, piece: bytes) -> int:
        return int(self.c.psog_upload_add(byref(self.upload), offset, piece, c_size_t(len(piece))))

    def commit(self, sensors: int = 0) -> int:
        error = self.c.psog_upload_commit(
            byref(self.upload),
            c_uint16(sensors),
            self.activations,
            c_size_t(ACTIVATIONS),
            byref(self.model),
            byref(self.installed),
        )
        return int(error)

    def calibration(self, floats: int, biases: int = 0) -> list[float] | None:
        """The stored gaze rows, and after them the user's biases, if they belong to the model."""
        kept = self.kept()
        if kept is None or not kept.rows:
            return None
        return [*kept.rows[:floats], *(kept.biases[:biases] if kept.biases else [])]

    def kept(self) -> Kept | None:
        """What the record in use holds."""
        kept = Kept()
        error = self.c.psog_calibration_find(byref(self.store), byref(self.model), byref(kept))
        return kept if error == 0 else None

    def save(
        self,
        rows: list[float] | None,
        biases: list[int] | None = None,
        normalisation: list[int] | None = None,
        shift: int = 0,
    ) -> int:
        """Rows of nobody are None; normalisation: offset and multiplier of each sensor in turn."""
        kept = Kept(
            None if rows is None else (c_float * len(rows))(*rows),
            None if rows is None else (c_int32 * len(biases or []))(*(biases or [])),
            None if normalisation is None else (c_int32 * len(normalisation))(*normalisation),
            shift,
        )
        record = (c_uint8 * RECORD)()
        return int(self.c.psog_calibration_save(byref(self.store), byref(self.model), byref(kept), record))

    def erase(self) -> int:
        return int(self.c.psog_calibration_erase(byref(self.store)))
