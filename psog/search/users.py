"""The simulated users of a search: made once, kept in its folder, read by every trial."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from psog.episodes import Episodes
from psog.errors import SearchError
from psog.files import writing_file
from psog.headset import Headset
from psog.search.plan import Plan
from psog.sim.episodes import Progress, make_episodes, make_test_episodes
from psog.sim.streams import derived_seed

SLIPS_MM = (0.0, 1.0)
"""Between the calibration and the gaze that networks are judged by."""
_FILE = "users.safetensors"
_PARTS = ("readings", "gaze_deg", "openness", "noise_counts")


def make_users(plan: Plan, headset: Headset, folder: Path, progress: Progress | None = None) -> None:
    """Simulate those who are trained on and those who judge trials, unless they are in the folder already."""
    path = folder / _FILE
    if path.exists():
        return
    groups = {
        "train": make_episodes(
            headset, users=plan.users, seed=derived_seed(plan.seed, "search"), progress=progress
        ),
        "judge": make_test_episodes(
            headset, users=plan.judges, seed=derived_seed(plan.seed, "search trials"), slips_mm=SLIPS_MM
        ),
    }
    arrays = {f"{g}.{name}": asdict(episodes)[name] for g, episodes in groups.items() for name in _PARTS}
    with writing_file(path, SearchError) as partial:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, partial)


@lru_cache(maxsize=1)
def users(folder: Path, headset_name: str) -> tuple[Episodes, Episodes]:
    """Those to train on, and those who judge trials, as `make_users` left them.

    Raises:
        SearchError: they are not there.
    """
    try:
        arrays = load_file(folder / _FILE)
        train, judge = (_episodes(arrays, group, headset_name) for group in ("train", "judge"))
    except Exception as error:  # whatever the file has come to
        raise SearchError(
            f"cannot read the users of the search in {folder}: {error}; all workers must share its disk; "
            f"remove {_FILE} to have it made again"
        ) from error
    return train, judge


def _episodes(arrays: dict[str, NDArray[np.float32]], group: str, headset_name: str) -> Episodes:
    readings, gaze_deg, openness, noise_counts = (arrays[f"{group}.{name}"] for name in _PARTS)
    return Episodes(headset_name, readings, gaze_deg, openness, noise_counts, seed=0)


def final_judges(plan: Plan, headset: Headset, count: int) -> Episodes:
    """Users who have seen no trial, to judge finalists."""
    seed = derived_seed(plan.seed, "search finalists")
    return make_test_episodes(headset, users=count, seed=seed, slips_mm=SLIPS_MM)
