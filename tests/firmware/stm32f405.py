"""The STM32F405 as far as start-up and flash go: registers that answer as ST's RM0090 says, under the core of
an instruction-set simulator. QEMU has neither the clock controller (chapter 7) nor the flash interface (3).
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from unicorn import UC_ARCH_ARM, UC_MODE_MCLASS, UC_MODE_THUMB, Uc
from unicorn.arm_const import (
    UC_ARM_REG_LR,
    UC_ARM_REG_R0,
    UC_ARM_REG_R1,
    UC_ARM_REG_R2,
    UC_ARM_REG_R3,
    UC_ARM_REG_SP,
    UC_CPU_ARM_CORTEX_M4,
)

FLASH, REGION, RAM, PERIPHERALS = 0x08000000, 0x08080000, 0x20000000, 0x40000000
STOP = REGION - 4
"""Where a function that is called returns to."""
SECTOR_BYTES = 128 * 1024
RAM_BYTES = 128 * 1024
BUFFER = RAM + 64 * 1024
TIM2_COUNT = 0x24
RCC_CR, RCC_PLLCFGR, RCC_CFGR = 0x23800, 0x23804, 0x23808
ACR, KEYR, SR, CR = 0x23C00, 0x23C04, 0x23C0C, 0x23C10
USART1_BRR, USART2_BRR = 0x11008, 0x4408
HSEON, HSERDY, PLLON, PLLRDY = (1 << bit for bit in (16, 17, 24, 25))
BUSY, LOCK, START, CACHE, CACHE_RESET = 1 << 16, 1 << 31, 1 << 16, 1 << 10, 1 << 12
KEYS = [0x45670123, 0xCDEF89AB]
CRYSTAL_US, LOCKING_US, ERASE_US, WORD_US = 2_000, 200, 1_000_000, 16
READ_US = 50
"""A read of the timer takes this long: coarse, so that a second is not too many reads."""


class Region(NamedTuple):
    """struct psog_flash."""

    memory: int
    size_bytes: int
    erase_bytes: int
    program_bytes: int
    erased: int
    context: int
    program: int
    erase: int


class Part:
    """The part with a program in its flash, after reset.

    Args:
        image: what lies in flash from its start.
        symbols: addresses of the program's functions by name.
    Attributes:
        crystal: whether there is one.
        fault: what the flash interface suffers from: "", "stuck" (busy for ever) or "error".
        wrong: what the program did against the manual.
        registers: by offset from PERIPHERALS.
        flash: sectors 8 to 11.
    """

    def __init__(self, image: bytes, symbols: dict[str, int]) -> None:
        self.crystal, self.fault = True, ""
        self.wrong: list[str] = []
        self.registers = {RCC_CR: 0x83, RCC_PLLCFGR: 0x24003010, CR: LOCK}
        self.flash = bytearray(4 * SECTOR_BYTES)
        self.cache_is_old = False
        self._symbols = symbols
        self._us, self._busy_until_us = 0, 0
        self._ready_us: dict[int, int] = {}
        self._keys: list[int] = []
        self._core = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self._core.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M4)
        for start, size in ((FLASH, REGION - FLASH), (RAM, RAM_BYTES)):
            self._core.mem_map(start, size)
        self._core.mem_write(FLASH, image)
        self._core.mmio_map(PERIPHERALS, 0x25000, self._read, None, self._write, None)
        self._core.mmio_map(REGION, len(self.flash), self._read_flash, None, self._write_flash, None)

    def call(self, function: str | int, *arguments: int) -> int:
        """Run a function of the program to its end; what it returns."""
        where = self._symbols[function] if isinstance(function, str) else function
        names = (UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3)
        for name, value in zip(names, arguments, strict=False):
            self._core.reg_write(name, value)
        self._core.reg_write(UC_ARM_REG_SP, RAM + RAM_BYTES)
        self._core.reg_write(UC_ARM_REG_LR, STOP | 1)
        self._core.emu_start(where | 1, STOP)
        return struct.unpack("<i", struct.pack("<I", self._core.reg_read(UC_ARM_REG_R0)))[0]

    def region(self) -> Region:
        """What hardware_flash returns."""
        self.call("hardware_flash", BUFFER)
        return Region(*struct.unpack("<4IB3x3I", self._core.mem_read(BUFFER, 32)))

    def program(self, offset: int, data: bytes) -> int:
        """The region's program function, on data at an odd address; its error."""
        function = self.region().program
        self._core.mem_write(BUFFER + 1, data)
        return self.call(function, 0, offset, BUFFER + 1, len(data))

    def erase(self, offset: int, size: int) -> int:
        """The region's erase function; its error."""
        return self.call(self.region().erase, 0, offset, size)

    # ---- clocks ----

    def _switch(self, value: int) -> int:
        if value & 3 == 2:
            ready = self._is_ready(PLLRDY)
            slow_flash, slow_buses = self.registers.get(ACR, 0) & 7 >= 5, value >> 10 & 0x3F == 0b100101
            if not (ready and slow_flash and slow_buses):
                self.wrong.append("switched to 168 MHz before PLL, wait states and bus dividers")
            value |= 2 << 2
        return value

    def _start_clocks(self, value: int) -> None:
        old = self.registers[RCC_CR]
        if value & ~old & HSEON and self.crystal:
            self._ready_us[HSERDY] = self._us + CRYSTAL_US
        if value & ~old & PLLON:
            from_crystal = self.registers[RCC_PLLCFGR] >> 22 & 1
            if not from_crystal or self._is_ready(HSERDY):
                self._ready_us[PLLRDY] = self._us + LOCKING_US

    def _is_ready(self, flag: int) -> bool:
        return flag in self._ready_us and self._us >= self._ready_us[flag]

    # ---- flash interface ----

    @property
    def _busy(self) -> bool:
        return self._us < self._busy_until_us

    def _work(self, duration_us: int) -> None:
        self._busy_until_us = self._us + (duration_us if self.fault != "stuck" else 1 << 60)
        self.cache_is_old = True
        if self.fault == "error":
            self.registers[SR] = self.registers.get(SR, 0) | 1 << 7

    def _control(self, value: int) -> int:
        if self.registers[CR] & LOCK or self._busy:
            self.wrong.append(f"FLASH_CR written while {'busy' if self._busy else 'locked'}: {value:#x}")
            return self.registers[CR]
        if value & START:
            if value & ~0x78 != START | 2 << 8 | 1 << 1:
                self.wrong.append(f"erase started by {value:#x}")
            sector = (value >> 3 & 15) - 8
            if self.fault != "error":
                self.flash[sector * SECTOR_BYTES : (sector + 1) * SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
            self._work(ERASE_US)
        return value & ~START

    def _unlock(self, value: int) -> None:
        self._keys.append(value)
        if self._keys == KEYS:
            self.registers[CR] &= ~LOCK
            self._keys = []
        elif self._keys != KEYS[:1]:
            self.wrong.append("wrong key")

    def _write_flash(self, _core: Uc, offset: int, size: int, value: int, _data: Any) -> None:
        if self._busy or self.registers[CR] != 2 << 8 | 1 or size != 4 or offset % 4 != 0:
            self.wrong.append(f"flash written at {offset:#x} while FLASH_CR is {self.registers[CR]:#x}")
        elif self.fault != "error":
            old = struct.unpack_from("<I", self.flash, offset)[0]
            struct.pack_into("<I", self.flash, offset, old & value)
        self._work(WORD_US)

    def _read_flash(self, _core: Uc, offset: int, size: int, _data: Any) -> int:
        return int.from_bytes(self.flash[offset : offset + size], "little")

    # ---- registers ----

    def _read(self, _core: Uc, offset: int, _size: int, _data: Any) -> int:
        value = self.registers.get(offset, 0)
        if offset == TIM2_COUNT:
            self._us += READ_US
            return self._us
        if offset == RCC_CR:
            return value | sum(flag for flag in (HSERDY, PLLRDY) if self._is_ready(flag))
        if offset == SR:
            return value | (BUSY if self._busy else 0)
        return value

    def _write(self, _core: Uc, offset: int, _size: int, value: int, _data: Any) -> None:
        if offset == RCC_CR:
            self._start_clocks(value)
        elif offset == RCC_PLLCFGR and self.registers[RCC_CR] & PLLON:
            self.wrong.append("PLL changed while it is on")
        elif offset == RCC_CFGR:
            value = self._switch(value)
        elif offset == KEYR:
            self._unlock(value)
        elif offset == SR:
            value = self.registers.get(SR, 0) & ~value
        elif offset == CR:
            value = self._control(value)
        elif offset == ACR and value & CACHE_RESET:
            if self.registers[ACR] & CACHE:
                self.wrong.append("data cache reset while it is on")
            self.cache_is_old = False
        self.registers[offset] = value
