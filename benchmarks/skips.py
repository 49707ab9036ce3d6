"""`psog bench skips`: what an instruction that a fault skips does to the verification of models, in QEMU."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psog.errors import ProbeError, PsogError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psog.benchmarks.skip_trials import Trial

_BOARD = "mps2-an386"


@dataclass(frozen=True)
class Command:
    """Hand images that must be refused to the firmware's verification and skip its instructions one by one.

    Skipped are: every instruction that decides, each of the first --most times that it runs; the comparison
    at the end of the signature's equation, in each of its calls; every instruction at all, for good; and
    single occurrences at random. Exits with 1 when any image gets through.
    """

    model: Path = Path("grid15")
    """Model whose image is made wrong."""
    most: int = 8
    """Of the times that a deciding instruction runs, how many are skipped."""
    samples: int = 500
    """Random single occurrences, for each image."""
    seed: int = 0
    """Of these."""
    for_good: bool = True
    """Also skip every instruction for good: most of the time that this takes."""
    json: bool = False
    """Print {"board", "trials": [{"kind", "way", "image", "instructions", "outcomes", "accepted"}]}."""

    def run(self) -> None:
        import json

        bounds = (("most", self.most, 1), ("samples", self.samples, 0), ("seed", self.seed, 0))
        for name, value, lowest in bounds:
            if value < lowest:
                raise PsogError(f"--{name} is {value}; expected {lowest} or more")
        trials = []
        for trial in self._trials():
            trials.append(trial)
            print(_row(trial), file=sys.stderr if self.json else sys.stdout, flush=True)
        if self.json:
            print(json.dumps({"board": _BOARD, "trials": [trial._asdict() for trial in trials]}))
        through = [place for trial in trials for place in trial.accepted]
        if through:
            raise ProbeError(
                f"{len(through)} skipped instructions let an image through that must be refused, "
                f"at {', '.join(sorted(set(through)))}"
            )

    def _trials(self) -> Iterator[Trial]:
        from psog.benchmarks import skip_trials
        from psog.firmware_export.image_file import load_image
        from psog.firmware_export.installing import image_for
        from psog.firmware_export.toolchain import board_target

        sound = image_for(load_image(self.model), board_target(_BOARD).target.packings)
        for way in skip_trials.WAYS:
            with skip_trials.program(_BOARD, sound, way) as tried, tried.skipper() as skipper:
                skip_trials.check_without_fault(skipper, skip_trials.ACCEPTED)
            for name, image in skip_trials.wrong_images(sound).items():
                yield from self._of_image(way, name, image)

    def _of_image(self, way: str, name: str, image: bytes) -> Iterator[Trial]:
        from psog.benchmarks import skip_trials as t

        with t.program(_BOARD, image, way) as tried, tried.skipper() as skipper:
            t.check_without_fault(skipper, t.REFUSED)
            yield t.summed("decisions", way, name, tried, skipper.each(tried.decides, self.most))
            if way != t.WAYS[0]:
                return  # the arithmetic is the same
            runs = tried.executed()
            yield t.summed("comparison", way, name, tried, t.comparing(tried, skipper, runs, self.most))
            if self.for_good:
                yield t.summed("for good", way, name, tried, t.for_good(skipper, runs))
            if self.samples:
                skips = t.at_random(skipper, runs, self.samples, self.seed)
                yield t.summed("at random", way, name, tried, skips)


def _row(trial: Trial) -> str:
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(trial.outcomes.items()))
    faults = sum(trial.outcomes.values())
    what = f"{trial.way:<6}  {trial.image:<19}  {trial.kind:<10}"
    return f"{what}  {trial.instructions:>5,} instructions, {faults:>5,} faults: {outcomes}"
