"""The virtual headset that a command starts for itself with --virtual, and what describes a headset."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from psog.errors import HeadsetError, PsogError

if TYPE_CHECKING:
    from psog.device.answers import DeviceInfo
    from psog.headset import Headset
    from psog.virtual.headset import VirtualHeadset
    from psog.virtual.wearer import Wearer

USER_SEED = 1000
"""Which simulated user wears it; none of them is ever trained on."""
MODEL = "ring16"


@contextlib.contextmanager
def virtual_headset(
    *,
    model: Path | None = None,
    board: str | None = None,
    user_seed: int | None = None,
    flash: Path | None = None,
    headset: str | None = None,
) -> Iterator[tuple[VirtualHeadset, Wearer]]:
    """A virtual headset as long as the context lasts, and the simulated user who wears it.

    Args:
        model: folder, .psog image or name of a shipped model; MODEL unless given.
        board: see firmware_export.boards; the emulated core where it is installed, else this computer.
        user_seed: which user; USER_SEED unless given.
        flash: file that keeps model and calibration from one run to the next.
        headset: TOML file of a headset that is not built in.
    Raises:
        PsogError: the model cannot be had, is another headset's, or the board cannot be started.
    """
    from psog.cli.boards import default_board
    from psog.cli.matching import check_made_for
    from psog.firmware_export.image_file import load_image
    from psog.firmware_export.image_reader import read_image
    from psog.headset import load_headset
    from psog.virtual.headset import VirtualHeadset
    from psog.virtual.wearer import Wearer

    model = Path(MODEL) if model is None else model
    given = load_headset(headset) if headset else None
    image = load_image(model, given)
    made_for = read_image(image).headset
    described = given or load_headset(made_for)
    check_made_for(model, made_for, described.name)
    wearer = Wearer(described, USER_SEED if user_seed is None else user_seed)
    with VirtualHeadset(board or default_board(), wearer, image=image, flash=flash) as virtual:
        yield virtual, wearer


@contextlib.contextmanager
def port_to_open(
    *,
    port: str | None,
    virtual: bool,
    model: Path | None,
    board: str | None,
    user_seed: int | None,
    flash: Path | None,
    headset: str | None,
) -> Iterator[str]:
    """The port of a headset, or where `virtual` is asked for, of one that lasts as long as the context.

    Raises:
        LinkError: no headset is found. PsogError: see virtual_headset.
    """
    from psog.cli.ports import headset_port

    if not virtual:
        yield headset_port(port)
        return
    with virtual_headset(model=model, board=board, user_seed=user_seed, flash=flash, headset=headset) as (
        started,
        _,
    ):
        yield started.port


def check_virtual_only(virtual: bool, port: str | None, describing: Mapping[str, object | None]) -> None:
    """Raise PsogError where flags contradict each other.

    Args:
        describing: what describes a virtual headset, by the name of its flag; None where it is not given.
    """
    if port is not None and virtual:
        raise PsogError("--port names a headset, --virtual starts another one; give one of them")
    given = [f"--{name}" for name, value in describing.items() if value is not None]
    if given and not virtual:
        raise PsogError(f"{', '.join(given)} describes a virtual headset; add --virtual or leave it out")


def described_headset(info: DeviceInfo, port: str, file: str | None) -> Headset:
    """The description of a connected headset: a built-in one, or from the file that was given.

    Raises:
        HeadsetError: it is neither built in nor described by the file.
    """
    from psog.headset import built_in_headsets, load_headset

    name = info.headset
    if file is None and name not in built_in_headsets():
        raise HeadsetError(
            f"the headset at {port} is a {name!r}, which is not built in; "
            "give its description with --headset FILE.toml"
        )
    headset = load_headset(file or name)
    if headset.name != name:
        raise HeadsetError(
            f"the headset at {port} is a {name!r}, --headset describes {headset.name!r}; "
            "give the matching description"
        )
    return headset
