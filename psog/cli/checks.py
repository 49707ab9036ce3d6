"""What psog works with, whether it is here, and what brings it: a table for `psog doctor`."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_NEWLIB = ("/usr/lib/arm-none-eabi/include/stdint.h", "/usr/arm-none-eabi/include/stdint.h")

_PCI_DEVICES = Path("/sys/bus/pci/devices")
_NVIDIA = "0x10de"
_GPU_S = 5.0
"""A driver that does not answer in this time is of no use (a weak value)."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: of the thing.
        found: what is here, such as a version or a path; None when it is missing or cannot be used.
        serves: what psog does with it.
        fix: the command that brings it; empty when nothing is missing.
    """

    name: str
    found: str | None
    serves: str
    fix: str = ""


@dataclass(frozen=True)
class _Program:
    name: str
    package: str
    serves: str

    def __call__(self) -> Iterator[Finding]:
        path = shutil.which(self.name)
        yield Finding(self.name, path, self.serves, "" if path else f"sudo apt-get install {self.package}")


@dataclass(frozen=True)
class _Extra:
    name: str
    package: str
    module: str
    serves: str

    def __call__(self) -> Iterator[Finding]:
        found = None
        if importlib.util.find_spec(self.module) is not None:
            found = importlib.metadata.version(self.package)
        fix = "" if found else f"pip install 'psog[{self.name}]'"
        yield Finding(self.package, found, self.serves, fix)


def _newlib() -> Iterator[Finding]:
    path = next((path for path in _NEWLIB if Path(path).exists()), None)
    fix = "" if path else "sudo apt-get install libnewlib-arm-none-eabi"
    yield Finding("newlib for Arm", path, "C library of the firmware", fix)


def _parts() -> Iterator[Finding]:
    """Parts that pyOCD must know."""
    if importlib.util.find_spec("pyocd") is None:
        return
    from psog.firmware_export.silicon import SILICON
    from psog.probe.pyocd_port import knows

    for board, part in SILICON.items():
        found = part.target if knows(part) else None
        fix = "" if found else f"pyocd pack install {part.target}"
        yield Finding(f"pyOCD's {part.part}", found, f"psog flash --probe --board {board}", fix)


def _gpu() -> Iterator[Finding]:
    """What its driver says; torch, which takes seconds to load, is not asked. A computer without one needs no
    driver."""
    program = shutil.which("nvidia-smi")
    if program is None and not _on_pci(_NVIDIA):
        return
    found = None
    if program is not None:
        query = [program, "--query-gpu=name", "--format=csv,noheader"]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            answer = subprocess.run(query, capture_output=True, text=True, timeout=_GPU_S, check=True)
            found = ", ".join(answer.stdout.split("\n")).strip(", ") or None
    yield Finding("GPU", found, "quicker training", "" if found else "sudo apt-get install nvidia-driver")


def _on_pci(vendor: str) -> bool:
    """Whether a device of this vendor is on the bus, as Linux tells it."""
    return any(path.read_text("ascii").strip() == vendor for path in _PCI_DEVICES.glob("*/vendor"))


def _udev() -> Iterator[Finding]:
    from psog.probe.udev import RULES_FILE

    found = RULES_FILE if Path(RULES_FILE).exists() else None
    fix = "" if found else f"psog doctor --emit-udev | sudo tee {RULES_FILE}"
    yield Finding("udev rules", found, "opening probes and serial adapters as a user", fix)


def _ports() -> Iterator[Finding]:
    """Serial ports with a USB device behind them, and whether this user may open them. None is opened."""
    from serial.tools import list_ports

    for port in list_ports.comports():
        if port.vid is None:
            continue
        allowed = os.access(port.device, os.R_OK | os.W_OK)
        fix = "" if allowed else f"sudo usermod -aG {_group(port.device)} $USER, and log in again"
        found = f"{port.vid:04x}:{port.pid:04x} {port.description}" if allowed else None
        yield Finding(port.device, found, "serial port", fix)


def _group(path: str) -> str:
    try:
        return Path(path).group()
    except (OSError, KeyError):
        return "dialout"


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _Program("gcc", "gcc libc6-dev", "simulator, firmware on this computer"),
    _Program("arm-none-eabi-gcc", "gcc-arm-none-eabi", "firmware for microcontrollers"),
    _newlib,
    _Program("qemu-system-arm", "qemu-system-arm", "virtual headsets on emulated microcontrollers"),
    _Extra("plot", "matplotlib", "matplotlib", "figures"),
    _Extra("video", "av", "av", "eye videos"),
    _Extra("reference", "mitsuba", "mitsuba", "path-traced reference"),
    _Extra("scale", "distributed", "distributed", "simulation on a cluster"),
    _Extra("search", "optuna", "optuna", "psog search"),
    _Extra("tflm", "tflite-micro", "tflite_micro", "TensorFlow Lite Micro's interpreter"),
    _Extra("tensorflow", "tensorflow-cpu", "tensorflow", "TensorFlow's own converter"),
    _Extra("flash", "pyocd", "pyocd", "psog flash --probe"),
    _parts,
    _Extra("live", "starlette", "starlette", "pages: psog view, psog-calibrate"),
    _Extra("live", "uvicorn", "uvicorn", "pages: psog view, psog-calibrate"),
    _Extra("live", "websockets", "websockets", "pages: psog view, psog-calibrate"),
    _Extra("live", "python-osc", "pythonosc", "targets over OSC"),
    _Extra("lsl", "pylsl", "pylsl", "psog stream --lsl"),
    _Program("chromium", "chromium", "tests of the pages"),
    _gpu,
    _udev,
    _ports,
)
"""In the order in which they are told. Each gives what it found, maybe nothing."""


def examine() -> list[Finding]:
    """Look for all of it. Changes nothing, and opens no port."""
    return [finding for check in CHECKS for finding in check()]
