"""`psog bench known-user`: a network made for one user alone, against the bound of that user."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import tyro

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.episodes import Episodes
    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.net.loop import TrainingConfig
    from psog.sim.population import Users

DONNING_MM = 4.0
TEST_SAMPLES = 20_000
_SAMPLES_PER_POSE = 64
_GAZES = 5  # along each side, for the bound
_LEARNING_RATE = 6e-3  # weak: the default of training; others were not tried at full length


class Errors(NamedTuple):
    """Lengths of gaze errors, degrees."""

    mean_deg: float
    rms_deg: float


@dataclass(frozen=True)
class KnownUser:
    """One user: a network's errors in "float" and in "int8", its cost, and the bound of the errors."""

    bound: Errors
    macs: int
    forms: dict[str, Errors]

    def ratio(self, form: str) -> float:
        """Mean error over that of the bound."""
        return self.forms[form].mean_deg / self.bound.mean_deg

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, ratios included."""
        forms = {
            form: {**errors._asdict(), "ratio": round(self.ratio(form), 3)}
            for form, errors in self.forms.items()
        }
        return {"bound": self.bound._asdict(), "macs": self.macs, **forms}


@dataclass(frozen=True)
class Command:
    """Train and test networks on one simulated user each, donned within ±4 mm, and set them beside the bound.

    The bound is that of the same user, known exactly, over fits within ±4 mm: what noise, fit, pupil and
    lids leave. Users are those whose bound `psog bound` computes.
    """

    headset: Annotated[str, tyro.conf.Positional] = "ring16"
    """A name, or the path of a TOML file."""
    users: int = 3
    steps: int = 6000
    """Of training, of 512 readings each."""
    samples: int = 400_000
    """Readings of each user to train on, 64 in each fit."""
    network: str = "cnn"
    """The headset's standard network, or another one, as psog train has them."""
    fits: int = 16
    """Over which the bound is taken."""
    seed: int = 0
    """Of users, fits, noise and weights."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.errors import PsogError
        from psog.headset import load_headset
        from psog.net.architecture_text import network_for
        from psog.net.loop import TrainingConfig
        from psog.sim.population import draw_users
        from psog.sim.streams import derived_seed

        for name, value in {"users": self.users, "samples": self.samples, "fits": self.fits}.items():
            if value < 1:
                raise PsogError(f"--{name} is {value}; expected at least 1")
        console = Console(stderr=True)
        headset = load_headset(self.headset)
        config = TrainingConfig(
            steps=self.steps,
            learning_rate=_LEARNING_RATE,
            seed=self.seed,
            architecture=network_for(self.network, headset),
        )
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        drawn = draw_users(self.users, derived_seed(self.seed, "bound"))
        found = []
        for number in range(self.users):
            user = drawn.take(slice(number, number + 1))
            found.append(self._measure(headset, user, number, config, console))
        if self.json:
            settings = {**asdict(self), "headset": headset.name, "donning_mm": DONNING_MM}
            del settings["json"]
            medians = {f"median_{form}_ratio": _median_ratio(found, form) for form in ("float", "int8")}
            print(json.dumps({**settings, "found": [one.to_json() for one in found], **medians}))
        else:
            _print(found, headset, self.seed)

    def _measure(
        self, headset: Headset, user: Users, number: int, config: TrainingConfig, console: Console
    ) -> KnownUser:
        from psog.net.calibrated import float_features, int8_features, uncalibrated
        from psog.net.evaluation import noisy_wire
        from psog.sim.streams import derived_seed

        with console.status(f"user {number}: the bound"):
            bound = known_user_bound(headset, user, self.fits, self.seed)
        with console.status(f"user {number}: readings"):
            train, test = (
                _episodes(headset, user, samples, derived_seed(self.seed, f"known user {number}, {use}"))
                for use, samples in {"train": self.samples, "test": TEST_SAMPLES}.items()
            )
        net = _trained(headset, train, config, console)
        wire = noisy_wire(test, headset, self.seed)[0].reshape(-1, headset.sensor_count)
        true_deg = test.gaze_deg.reshape(-1, 2)
        forms = {
            name: _errors(uncalibrated(net, form)(wire) - true_deg)
            for name, form in {"float": float_features, "int8": int8_features}.items()
        }
        return KnownUser(bound, net.macs, forms)


def known_user_bound(headset: Headset, user: Users, fits: int, seed: int) -> Errors:
    """The bound of a user who is known exactly, over `fits` fits within ±DONNING_MM, without slip.

    Gazes are the middles of 5 × 5 equal parts of the field, so that their mean is that of a gaze uniform
    over it; the grid of `psog bound` reaches from border to border, where errors are larger.

    Args:
        user: one row of Users.
    """
    import numpy as np
    import torch

    from psog.sim.bound.parameters import priors, slip_covariance
    from psog.sim.bound.survey import (
        CASES,
        Question,
        covariances,
        mean_length,
        readings_per_noise,
        user_scenes,
    )
    from psog.sim.effects import Effects
    from psog.sim.torch.render import TorchOptics
    from psog.sim.torch.surfaces import user_columns

    question = Question(users=fits, gazes=_GAZES, slips_mm=(0.0,), points=0, donning_mm=DONNING_MM, seed=seed)
    optics = TorchOptics(headset, None, Effects())
    known = priors(headset.field_deg, DONNING_MM, seed, optics.effects)
    nothing = known._replace(user_names=(), user=known.user[:0, :0])  # is unknown about the user
    scale = readings_per_noise(headset, optics)[:, None]
    middles = (_GAZES - 1) / _GAZES  # this much of the field is spanned by the middles of its parts
    inner_deg = (headset.field_deg[0] * middles, headset.field_deg[1] * middles)
    found = []
    for first in range(0, fits, _FITS_AT_ONCE):
        same = user.take(np.zeros(min(_FITS_AT_ONCE, fits - first), np.intp))
        scenes = user_scenes(optics, inner_deg, user_columns(same), question, names=(), first=first)
        for scene in scenes:
            slips = [slip_covariance(0.0, seed)]
            found.append(covariances(scene, scale, nothing, slips)[CASES.index("known user"), 0])
    covariance = torch.stack(found).numpy()
    return _rounded(
        float(mean_length(covariance).mean()),
        float(np.sqrt(covariance.trace(axis1=-2, axis2=-1).mean())),
    )


_FITS_AT_ONCE = 4


def _episodes(headset: Headset, user: Users, samples: int, seed: int) -> Episodes:
    from psog.sim.episodes import make_episodes_of_one

    poses = -(-samples // _SAMPLES_PER_POSE)
    return make_episodes_of_one(
        headset, user, poses=poses, samples=_SAMPLES_PER_POSE, seed=seed, donning_mm=DONNING_MM
    )


def _trained(headset: Headset, train: Episodes, config: TrainingConfig, console: Console) -> IntegerNet:
    import numpy as np

    from psog.cli.training_bar import training_bar
    from psog.net.training import train_plain

    rounding = 1 / 12  # count²: the device gives whole counts
    noise_counts = np.sqrt(train.noise_counts**2 + rounding, dtype=np.float32)
    readings, gaze_deg = train.readings.reshape(-1, headset.sensor_count), train.gaze_deg.reshape(-1, 2)
    with training_bar(console) as show:
        return train_plain(readings, gaze_deg, headset, config, show, noise_counts=noise_counts)[0]


def _errors(error_deg: NDArray[np.floating]) -> Errors:
    """Of (n, 2) differences."""
    import numpy as np

    square = (error_deg**2).sum(axis=1)
    return _rounded(float(np.sqrt(square).mean()), float(np.sqrt(square.mean())))


def _rounded(mean_deg: float, rms_deg: float) -> Errors:
    return Errors(round(mean_deg, 4), round(rms_deg, 4))


def _median_ratio(found: Sequence[KnownUser], form: str) -> float:
    import numpy as np

    return round(float(np.median([one.ratio(form) for one in found])), 3)


def _print(found: Sequence[KnownUser], headset: Headset, seed: int) -> None:
    from rich.console import Console
    from rich.table import Table

    median = _median_ratio(found, "int8")
    table = Table(
        *("user", "bound", "float", "int8", "float ×", "int8 ×"),
        title=f"{headset.name}: gaze error of known users, ±{DONNING_MM:g} mm (seed {seed}), "
        f"{found[0].macs:,} MACs, degrees",
        caption=f"mean (rms); ×: mean over that of the bound, of the median user {median:.2f} in int8",
    )
    for number, one in enumerate(found):
        errors = [f"{e.mean_deg:.3f} ({e.rms_deg:.3f})" for e in (one.bound, *one.forms.values())]
        table.add_row(str(number), *errors, *(f"{one.ratio(form):.2f}" for form in one.forms))
    Console().print(table)
