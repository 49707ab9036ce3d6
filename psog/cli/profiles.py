"""`psog profiles`: users' calibrations under names, one of them in use on the headset."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tyro.conf import Positional

from psog.errors import LinkError, ProfileError

if TYPE_CHECKING:
    from pathlib import Path

    from psog.calibration.profiles import Profile


@dataclass(frozen=True)
class Command:
    """List the profiles, or have the headset use, save or delete one. A profile is a user's calibration.

    psog profiles lists them, and tells which one the headset uses, where one is connected.
    psog profiles use NAME has the headset use that calibration, from now on and after restarts.
    psog profiles save NAME keeps the calibration that is in use; psog-calibrate --user NAME does so itself.
    psog profiles delete NAME removes the file; the headset keeps what it has (psog erase).
    They are files in PSOG_PROFILES, else XDG_DATA_HOME/psog/profiles; see docs/profiles.md.
    """

    action: Positional[Literal["list", "use", "save", "delete"]] = "list"
    """What to do."""
    name: Positional[str | None] = None
    """The profile, for all but list."""
    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    force: bool = False
    """For save: replace a profile of that name."""
    json: bool = False
    """Print one JSON document: {"profiles": […], "port", "active"} for list, else the profile."""

    def run(self) -> None:
        from psog.calibration.profiles import profiles_folder

        folder = profiles_folder(os.environ)
        if (self.name is None) != (self.action == "list"):
            raise ProfileError(f"psog profiles {self.action} takes {'no' if self.name else 'a'} name")
        if self.name is None:
            self._list(folder)
        elif self.action == "use":
            self._use(folder, self.name)
        elif self.action == "save":
            self._save(folder, self.name)
        else:
            self._delete(folder, self.name)

    def _list(self, folder: Path) -> None:
        from psog.calibration.profiles import load_profile, profile_names

        profiles, damaged = [], []
        for name in profile_names(folder):
            try:
                profiles.append(load_profile(folder, name))
            except ProfileError as error:
                damaged.append(str(error))
        port, active = self._active(folder)
        if self.json:
            told = [{**profile.to_json(), "active": profile.name == active} for profile in profiles]
            print(json.dumps({"profiles": told, "damaged": damaged, "port": port, "active": active}))
            return
        for profile in profiles:
            print(("* " if profile.name == active else "  ") + _line(profile))
        for line in damaged:
            print(f"! {line}")
        if not profiles and not damaged:
            print(f"no profiles in {folder}; psog-calibrate --user NAME makes one")

    def _active(self, folder: Path) -> tuple[str | None, str | None]:
        """Port and the profile in use there; without a headset, or with several, none is."""
        from psog.calibration.profiles import active_profile
        from psog.cli.ports import connected
        from psog.device.client import open_headset

        found = [port.port for port in connected() if port.is_headset]
        port = self.port or (found[0] if len(found) == 1 else None)
        if port is None:
            return None, None
        try:
            with open_headset(port) as client:
                return port, active_profile(client, folder)
        except LinkError:
            if self.port is not None:
                raise
            return None, None  # another program has it

    def _use(self, folder: Path, name: str) -> None:
        from psog.calibration.profiles import load_profile, use_profile
        from psog.cli.ports import headset_port
        from psog.device.client import open_headset

        profile = load_profile(folder, name)
        with open_headset(headset_port(self.port)) as client:
            use_profile(client, profile)
        self._tell(profile, "in use from now on")

    def _save(self, folder: Path, name: str) -> None:
        from psog.calibration.profiles import load_profile, save_profile
        from psog.cli.ports import headset_port
        from psog.device.client import open_headset

        with open_headset(headset_port(self.port)) as client:
            save_profile(client, name, folder=folder, force=self.force)
        self._tell(load_profile(folder, name), "saved")

    def _delete(self, folder: Path, name: str) -> None:
        from psog.calibration.profiles import delete_profile

        delete_profile(folder, name)
        print(json.dumps({"name": name, "deleted": True}) if self.json else f"{name}: deleted")

    def _tell(self, profile: Profile, done: str) -> None:
        print(json.dumps(profile.to_json()) if self.json else f"{_line(profile)}: {done}")


def _line(profile: Profile) -> str:
    accuracy_deg = profile.measured.get("accuracy_deg")
    good = f", {accuracy_deg:.2f}°" if isinstance(accuracy_deg, int | float) else ""
    return f"{profile.name} ({profile.headset} on {profile.board}{good}, {profile.saved_at[:10]})"
