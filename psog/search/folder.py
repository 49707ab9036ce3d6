"""A search's folder: what was asked, what instructions cost, and what has been found so far."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from psog.errors import SearchError
from psog.files import writing_file
from psog.headset import Headset, load_headset
from psog.search.instructions import InstructionModel, instruction_model
from psog.search.plan import DECIDE_TRIALS, Plan

_ORDER, _LOCK = "search.json", ".lock"
_FORMAT = "psog-search"


@dataclass(frozen=True)
class Order:
    """All that whoever runs a trial must know."""

    plan: Plan
    headset: Headset
    model: InstructionModel


@contextmanager
def working_on(folder: Path) -> Iterator[None]:
    """Own the folder, which is made if need be, as the only program that leads its search.

    Raises:
        SearchError: another one does, or it is no folder of a search.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        other = any(path.name != _LOCK for path in folder.iterdir())
        if other and not (folder / _ORDER).exists():
            raise SearchError(f"{folder} is not empty and holds no search; choose another folder")
        with (folder / _LOCK).open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SearchError(f"another program searches in {folder}; wait for it or stop it") from None
            yield
    except OSError as error:
        raise SearchError(f"cannot write into {folder}: {error.strerror or error}; choose another") from error


def ordered(
    plan: Plan, folder: Path, counting: Callable[[int, int], None], model: InstructionModel | None = None
) -> Order:
    """The order of this plan: the folder's, if it has one of the same plan, else a new one.

    Args:
        counting: told of the networks counted so far, and of how many.
        model: what a new search takes instructions from, instead of counting.
    Raises:
        SearchError: the folder's search is another one.
        ToolchainError: instructions cannot be counted on this board here.
    """
    headset = load_headset(plan.headset)
    path = folder / _ORDER
    if path.exists():
        found = read_order(folder)
        other = [key for key in DECIDE_TRIALS if getattr(found.plan, key) != getattr(plan, key)]
        if other or found.headset != headset:
            raise SearchError(
                f"the search in {folder} was begun with another {', '.join(other) or 'headset file'}; give "
                "the command that began it to go on, or choose another folder"
            )
        model = found.model
    elif model is None:
        model = instruction_model(plan.board, headset, progress=counting)
    write_json(
        path,
        {
            "format": _FORMAT,
            "plan": plan.to_json(),
            "headset": headset.model_dump(mode="json", by_alias=True),
            "model": model.to_json(),
        },
    )
    read_order.cache_clear()
    return read_order(folder)


@lru_cache(maxsize=4)
def read_order(folder: Path) -> Order:
    """The order in a folder.

    Raises:
        SearchError: there is none that can be read.
    """
    try:
        content = json.loads((folder / _ORDER).read_text("utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        headset = Headset.model_validate(content["headset"])
        plan = Plan.from_json(content["plan"])
        return Order(plan, headset, InstructionModel.from_json(content["model"], headset))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise SearchError(f"cannot read the search in {folder}: {reason}; choose another folder") from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A file that appears complete or not at all."""
    with writing_file(path, SearchError) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
