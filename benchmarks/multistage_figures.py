"""What `psog bench multistage` says of its ways: errors over users and seeds, paired differences, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from psog.benchmarks.tables import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGITS = 4
Key = tuple[str, int, str]
"""Way, people who recorded with the new headset, and how users calibrated."""


def figures(of_seeds: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Of each way, and how its users calibrated, what all seeds say together.

    Args:
        of_seeds: as psog.benchmarks.multistage_ways.seed_errors gives them, of at least one seed.
    Returns:
        For each "way", "people" and "calibration": "users" of a seed, what they are "compared" with (a way of
        nine points with the longer population's stage, another calibration with the same way's nine points),
        and by slip in mm "mean_deg", "sd_deg" of the seeds' means, and "difference": mean and SD over users,
        SD of the seeds' means, share of the users who are better off. A standard deviation of one is None.
    """
    from psog.benchmarks.multistage_ways import REFERENCE
    from psog.benchmarks.multistage_wearers import NINE, SLIPS_MM

    errors = [
        {(e["way"], e["people"], e["calibration"]): e["errors_deg"] for e in of_seed} for of_seed in of_seeds
    ]
    told = []
    for way, people, calibration in errors[0]:
        compared: Key = (REFERENCE, 0, NINE) if calibration == NINE else (way, people, NINE)
        own, others = _stacked(errors, (way, people, calibration)), _stacked(errors, compared)
        slips = {f"{mm:g}": _figure(own[..., k], others[..., k]) for k, mm in enumerate(SLIPS_MM)}
        told.append(
            {
                "way": way,
                "people": people,
                "calibration": calibration,
                "users": own.shape[1],
                "compared": compared[0] if calibration == NINE else NINE,
                "slips": slips,
            }
        )
    return told


def _stacked(errors: Sequence[Mapping[Key, Any]], key: Key) -> NDArray[np.float64]:
    """(seeds, users, slips) degrees."""
    import numpy as np

    return np.array([of_seed[key] for of_seed in errors])


def _figure(errors: NDArray[np.float64], compared: NDArray[np.float64]) -> dict[str, Any]:
    """Of (seeds, users) errors, and those of at least as many users."""
    difference = errors - compared[:, : errors.shape[1]]
    return {
        "mean_deg": round(float(errors.mean()), _DIGITS),
        "sd_deg": _spread(errors.mean(axis=1)),
        "difference": {
            "mean_deg": round(float(difference.mean()), _DIGITS),
            "sd_users_deg": _spread(difference.ravel()),
            "sd_seeds_deg": _spread(difference.mean(axis=1)),
            "better": round(float((difference < 0).mean()), _DIGITS),
        },
    }


def _spread(values: NDArray[np.float64]) -> float | None:
    return round(float(values.std(ddof=1)), _DIGITS) if len(values) > 1 else None


def tables(document: Mapping[str, Any]) -> list[Table]:
    """The ways after nine points, and what more of a user brings."""
    from psog.benchmarks.multistage_wearers import NINE

    ways = document["ways"]
    slips = list(ways[0]["slips"])
    heads = [head for slip in slips for head in (f"{slip} mm", "paired difference")]
    last = document["seed"] + document["seeds"] - 1
    seeds = f"seed {last}" if document["seeds"] == 1 else f"seeds {document['seed']} to {last}"
    title = (
        f"Gaze error of unseen users of a new {document['headset']} after 9 points, degrees, int8 "
        f"({document['test_users']} users of one headset at each of {seeds}; {document['steps']} steps in "
        f"the population's stage and {document['further']} more)"
    )
    note = (
        "Mean over users ± SD of the seeds' means. Paired difference from “population, longer”: mean ± SD "
        "over users, and the share of them who are better off. People are those who recorded with the new "
        f"headset, {document['people_s']:g} s each; the fleet is {document['units']} other headsets with "
        f"{document['people']} people each."
    )
    of_nine = [way for way in ways if way["calibration"] == NINE]
    found = [
        Table(
            title, ("way", "people", *heads), [_row(way, str(way["people"]), slips) for way in of_nine], note
        )
    ]
    more = [way for way in ways if way["calibration"] != NINE]
    if more:
        title = f"What more of a user brings after “{more[0]['way']}”, {more[0]['people']} people"
        note = "Paired difference from the same users' nine points alone."
        rows = [_row({**way, "way": way["calibration"]}, str(way["users"]), slips) for way in more]
        found.append(Table(title, ("calibration", "users of a seed", *heads), rows, note))
    return found


def _row(way: Mapping[str, Any], second: str, slips: Sequence[str]) -> list[str]:
    cells = [way["way"], second]
    for slip in slips:
        figure = way["slips"][slip]
        cells += [_with_sd(f"{figure['mean_deg']:.2f}", figure["sd_deg"]), _difference(figure["difference"])]
    return cells


def _difference(difference: Mapping[str, Any]) -> str:
    mean = _with_sd(f"{difference['mean_deg']:+.2f}".replace("-", "−"), difference["sd_users_deg"])
    return f"{mean}, {100 * difference['better']:.0f} %"


def _with_sd(text: str, sd: float | None) -> str:
    return text if sd is None else f"{text} ± {sd:.2f}"
