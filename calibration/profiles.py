"""Users' calibrations kept on the host under names: one file each, readable by its owner alone."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from psog.calibration.looks import Look, looks_from_json, looks_to_json
from psog.device.answers import DeviceInfo
from psog.device.calibration_record import Calibration
from psog.device.client import Client
from psog.errors import CalibrationError, DeviceError, ProfileError
from psog.files import writing_file

FORMAT = "psog-profile 1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,63}")
"""No separator of any system, nothing hidden, nothing that ends a line; short enough for any file system."""
_SUFFIX = ".profile.json"
_LARGEST_BYTES = 64 << 10
"""A record has at most 4,072 bytes, 64 looks by 64 sensors some 34,000; the rest is for what was measured."""
_MEASURED = ("points", "accuracy_deg", "before_deg", "grade", "seconds")


@dataclass(frozen=True)
class Profile:
    """A user's calibration of one model of one headset.

    Attributes:
        headset: its name. board: on which it was made.
        saved_at: ISO 8601, UTC.
        measured: a few values of the calibration's report (`_MEASURED`); empty without one.
        looks: what the sensors read at its targets; empty where nobody kept it.
    """

    name: str
    headset: str
    board: str
    saved_at: str
    calibration: Calibration
    measured: Mapping[str, Any]
    looks: tuple[Look, ...] = ()

    @property
    def model_crc32(self) -> int:
        """Of the model it belongs to, as the headset tells it."""
        return self.calibration.model_crc32

    def to_json(self) -> dict[str, Any]:
        """What can be told to anyone: everything but the calibration itself and its readings."""
        return {
            "name": self.name,
            "headset": self.headset,
            "board": self.board,
            "model_crc32": f"{self.model_crc32:08x}",
            "saved_at": self.saved_at,
            "measured": dict(self.measured),
        }


def profiles_folder(environ: Mapping[str, str]) -> Path:
    """Where profiles are: PSOG_PROFILES, else by the XDG base directory specification. May not be there."""
    if environ.get("PSOG_PROFILES"):
        return Path(environ["PSOG_PROFILES"])
    base = environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "psog" / "profiles"


def profile_path(folder: Path, name: str) -> Path:
    """The file of a profile.

    Raises:
        ProfileError: that is no name.
    """
    if not _NAME.fullmatch(name) or name != name.strip(" ."):
        raise ProfileError(
            f"{name[:80]!r} cannot name a profile; expected 1 to 64 letters, digits, spaces and . _ @ + - "
            "that begin with a letter or digit and do not end with a space or dot"
        )
    return folder / f"{name}{_SUFFIX}"


def check_profile_can_be_saved(folder: Path, name: str) -> None:
    """To be called before a calibration that is to be kept under a name; makes the folder if need be.

    Raises:
        ProfileError: that is no name, or nothing can be written there.
    """
    profile_path(folder, name)
    _make(folder)
    if not os.access(folder, os.W_OK):
        raise ProfileError(f"cannot write into {folder}; name another folder by PSOG_PROFILES")


def save_profile(
    client: Client,
    name: str,
    report_json: Mapping[str, Any] | None = None,
    *,
    looks: tuple[Look, ...] = (),
    folder: Path | None = None,
    force: bool = True,
) -> Path:
    """Keep the calibration that a headset uses now under a name; complete or not at all, for the owner alone.

    To be called after a calibration was kept: `save_profile(client, "ada", report.to_json())`; and before
    it `check_profile_can_be_saved`, which refuses while nothing has been done yet.

    Args:
        report_json: CalibrationReport.to_json(), of which a few values are kept for `psog profiles`.
        looks: CalibrationReport.looks, by which psog view tells whether the headset has moved since; without,
            those of the profile that is in use already.
        folder: by default `profiles_folder(os.environ)`; it is made where it is missing.
        force: replace a profile of that name: a user calibrates again under their own.
    Returns:
        The file.
    Raises:
        ProfileError: no name, there is one and `force` is false, or it cannot be written.
        DeviceError: the headset is not calibrated.
    """
    folder = profiles_folder(os.environ) if folder is None else folder
    path = profile_path(folder, name)
    if path.exists() and not force:
        raise ProfileError(f"there is a profile {name!r} already; choose another name or pass --force")
    if not client.hello().calibrated:
        raise DeviceError(
            f"the headset at {client.port} is not calibrated, so there is nothing to save; "
            f"calibrate with psog-calibrate --user {name!r}"
        )
    calibration, info, report = client.read_calibration(), client.info, report_json or {}
    profile = Profile(
        name=name,
        headset=info.headset,
        board=info.board,
        saved_at=datetime.now(UTC).isoformat(timespec="seconds"),
        calibration=calibration,
        measured={key: report[key] for key in _MEASURED if key in report},
        looks=looks or _looks_in_use(client, folder),
    )
    write_profile(path, profile)
    return path


def write_profile(path: Path, profile: Profile) -> None:
    """Write it, readable by its owner alone; complete or not at all.

    Raises:
        ProfileError: it cannot be written.
    """
    record = base64.b64encode(profile.calibration.to_bytes()).decode("ascii")
    content = {"format": FORMAT, **profile.to_json(), "calibration": record}
    if profile.looks:
        content["looks"] = looks_to_json(profile.looks)
    _make(path.parent)
    with writing_file(path, ProfileError) as partial:
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")


def load_profile(folder: Path, name: str) -> Profile:
    """The profile of that name.

    Raises:
        ProfileError: there is none, or it is damaged.
    """
    return _read(_existing(folder, name), name)


def profile_names(folder: Path) -> list[str]:
    """Names of the profiles in a folder that may not be there, sorted."""
    names = (path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
    return sorted(name for name in names if _NAME.fullmatch(name))


def delete_profile(folder: Path, name: str) -> None:
    """Remove a profile; what a headset has stays there (psog erase).

    Raises:
        ProfileError: there is none, or it cannot be removed.
    """
    path = _existing(folder, name)
    try:
        path.unlink()
    except OSError as error:
        raise ProfileError(f"cannot delete profile {name!r}: {error.strerror or error}") from error


def use_profile(client: Client, profile: Profile) -> DeviceInfo:
    """Have a headset store and use a profile's calibration.

    Raises:
        ProfileError: it was made with another headset or another model.
        DeviceError: a model is on trial, or a calibration in progress.
    """
    found = client.info
    if profile.headset != found.headset:
        raise ProfileError(
            f"profile {profile.name!r} was made with a {profile.headset!r}, the headset at {client.port} is "
            f"a {found.headset or 'headset without a model'!r}; calibrate here: psog-calibrate --user NAME"
        )
    if profile.model_crc32 != found.model_crc32:
        raise ProfileError(
            f"profile {profile.name!r} was made with model {profile.model_crc32:08x}, the headset at "
            f"{client.port} runs {found.model_crc32:08x}; install that model with psog flash, or calibrate "
            f"again: psog-calibrate --user {profile.name!r}"
        )
    return client.write_calibration(profile.calibration)


def active_profile(client: Client, folder: Path) -> str | None:
    """The name of the profile that the headset uses now; None if it is uncalibrated or its user is unknown.

    One that was recentred since has another head, but the biases of its user still. Of several with the same
    calibration it is one that knows what the sensors read, if any does.
    """
    if not client.hello().calibrated:
        return None
    in_use = client.read_calibration()
    same, recentred = [], []
    for name in profile_names(folder):
        with contextlib.suppress(ProfileError):
            profile = load_profile(folder, name)
            saved = profile.calibration
            if saved == in_use:
                same.append(profile)
            elif len(saved.biases) and np.array_equal(saved.biases, in_use.biases):
                recentred.append(profile)
    found = sorted(same or recentred, key=lambda profile: not profile.looks)
    return found[0].name if found else None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ProfileError(
            f"cannot make the folder {folder}: {error.strerror or error}; name another by PSOG_PROFILES"
        ) from error


def _existing(folder: Path, name: str) -> Path:
    """The file of a profile that there is."""
    path = profile_path(folder, name)
    if not path.exists():
        known = ", ".join(repr(one) for one in profile_names(folder)) or "none"
        raise ProfileError(f"there is no profile {name!r} in {folder}; there is: {known}")
    return path


def _looks_in_use(client: Client, folder: Path) -> tuple[Look, ...]:
    name = active_profile(client, folder)
    return () if name is None else load_profile(folder, name).looks


def _read(path: Path, name: str) -> Profile:
    damaged = f"profile {name!r} in {path.parent} cannot be used"
    again = f"delete it with psog profiles delete {name!r} and calibrate again"
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ProfileError(f"{damaged}: more than {_LARGEST_BYTES} bytes; {again}")
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ProfileError(f"{damaged}: it is no {FORMAT!r}; {again}")
        text = {key: content[key] for key in ("headset", "board", "saved_at", "calibration")}
        measured = content.get("measured", {})
        if not all(isinstance(value, str) for value in text.values()) or not isinstance(measured, dict):
            raise ProfileError(f"{damaged}: a value is of the wrong kind; {again}")
        record = base64.b64decode(text.pop("calibration"), validate=True)
        return Profile(
            name=name,
            **text,
            calibration=Calibration.from_bytes(record),
            measured=_plain(measured),
            looks=looks_from_json(content.get("looks", [])),
        )
    except (OSError, ValueError, RecursionError, KeyError, binascii.Error, CalibrationError) as error:
        raise ProfileError(f"{damaged}: {error or type(error).__name__}; {again}") from error


def _plain(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a file says was measured, the values that are known here: numbers and short words."""
    return {
        key: value
        for key in _MEASURED
        if isinstance(value := measured.get(key), int | float) or (isinstance(value, str) and len(value) < 40)
    }
