"""`psog bench precision`: gaze error, flash and instructions with weights of 4 bits and activations of 16."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.benchmarks.tables import Table
    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.net.store import Model

SLIPS_MM = (0.0, 1.0)


@dataclass(frozen=True)
class Protocol:
    """Sizes and seeds.

    Attributes:
        users, seed: unseen ones, with nine calibration points.
        layer_users: of these, the first, on whom each layer is judged alone.
        training_users, training_seed: those that weights are rounded and trained on with.
        steps: of training on; 0 leaves it out.
    """

    users: int = 200
    seed: int = 999
    layer_users: int = 40
    training_users: int = 600
    training_seed: int = 31
    steps: int = 400


_SHORT = Protocol(users=4, layer_users=2, training_users=20, steps=3)


@dataclass(frozen=True)
class Command:
    """Compare trained models in float, int8, with weights of 4 bits and with activations of 16.

    Users are simulated ones that nothing was trained or chosen on; differences are paired by user. Models of
    one headset (of several training seeds) are taken together: mean and SD over them.
    """

    models: Annotated[tuple[Path, ...], tyro.conf.Positional] = (Path("ring16"), Path("grid15"))
    """Folders of `psog train`, or models that come with psog."""
    users: int = Protocol.users
    """Unseen ones."""
    steps: int = Protocol.steps
    """For which int4 is trained on, and int8 beside it; 0 leaves both out, which is most of the time."""
    keep: Path | None = None
    """A folder for what each model came to, from which a run that was stopped goes on."""
    short: bool = False
    """A few users and steps and one board, in seconds: to see that it works, not what comes out."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.errors import ModelError
        from psog.net.store import load_model

        if not self.models:
            raise ModelError("no model to measure; expected folders of `psog train`")
        torch.set_num_threads(1)
        by_headset: dict[str, list[Model]] = {}
        for folder in self.models:
            model = load_model(folder)
            by_headset.setdefault(model.net.headset, []).append(model)
        self._check()
        protocol = _SHORT if self.short else Protocol(users=self.users, steps=self.steps)
        progress = Console(stderr=True)
        found = {
            name: _measure(models, protocol, progress, self.keep, short=self.short)
            for name, models in by_headset.items()
        }
        document = {**asdict(protocol), "points": 9, "slips_mm": SLIPS_MM, "headsets": found}
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())

    def _check(self) -> None:
        from psog.errors import PsogError

        for name, value, least in (("users", self.users, 1), ("steps", self.steps, 0)):
            if value < least:
                raise PsogError(f"--{name} is {value}; expected at least {least}")


def _measure(
    models: Sequence[Model], protocol: Protocol, progress: Console, keep: Path | None, *, short: bool
) -> dict[str, Any]:
    from psog.benchmarks.precision_figures import costs, figures, layer_figures
    from psog.benchmarks.precision_ways import image_parts
    from psog.headset import load_headset
    from psog.net.int4_rounding import large_layers

    headset = load_headset(models[0].net.headset)
    errors = [_of_model(model, headset, protocol, progress, keep) for model in models]
    net = models[0].net
    with progress.status(f"{headset.name}: on boards"):
        on_boards = costs(net, headset, short=short)
    return {
        "models": len(models),
        "of_four_bits": large_layers(net),
        "image": image_parts(net),
        "ways": figures([one["ways"] for one in errors]),
        "layers": layer_figures(net, [one["layers"] for one in errors]),
        "costs": on_boards,
    }


def _of_model(
    model: Model, headset: Headset, protocol: Protocol, progress: Console, keep: Path | None
) -> dict[str, Any]:
    """{"ways": {way: (users, slips) degrees}, "layers": {index: the same of some users}}."""
    import json

    origin = model.origin or {}
    place = None
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        sizes = f"{protocol.users}-{protocol.steps}"
        place = keep / f"{headset.name}-{str(origin.get('weights_sha256'))[:12]}-{sizes}.json"
        if place.exists():
            kept: dict[str, Any] = json.loads(place.read_text("utf-8"))
            return kept
    name = f"{origin.get('name')} ({headset.name})"
    found = _judged(model, headset, protocol, lambda what: progress.print(f"{name}: {what}", highlight=False))
    if place is not None:
        place.write_text(json.dumps(found), "utf-8")
    return found


def _judged(
    model: Model, headset: Headset, protocol: Protocol, on_way: Callable[[str], None]
) -> dict[str, Any]:
    import numpy as np

    from psog.benchmarks.precision_ways import ROUNDING_USERS, Training, single_layers, ways
    from psog.net.calibrated import int8_features
    from psog.net.evaluation import noisy_wire
    from psog.net.gaze_errors import gaze_errors
    from psog.sim.episodes import make_episodes, make_test_episodes

    test = make_test_episodes(headset, users=protocol.users, seed=protocol.seed, slips_mm=SLIPS_MM)
    wire = noisy_wire(test, headset, protocol.seed)
    nine = [np.ones(wire.shape[2], bool)]

    def errors(net: IntegerNet, form: Any, users: int) -> list[list[float]]:
        some = replace(
            test,
            readings=test.readings[:users],
            gaze_deg=test.gaze_deg[:users],
            openness=test.openness[:users],
        )
        found: NDArray[np.float64] = gaze_errors(net, form, wire[:users], some, nine)[0].mean(axis=-1)
        return [[round(float(value), 5) for value in row] for row in found]

    count = protocol.training_users if protocol.steps > 0 else ROUNDING_USERS
    episodes = make_episodes(headset, users=count, seed=protocol.training_seed)
    training = Training(protocol.training_users, protocol.steps, protocol.training_seed)
    of_ways, of_layers = {}, {}
    for way, net, form in ways(model, episodes, headset, training):
        on_way(way)
        of_ways[way] = errors(net, form, protocol.users)
    for index, net in single_layers(model.net, episodes, headset):
        on_way(f"layer {index} alone")
        judged = errors(net, int8_features, protocol.layer_users)
        before = of_ways["int8"][: protocol.layer_users]
        of_layers[str(index)] = (np.array(judged) - np.array(before)).round(5).tolist()
    return {"ways": of_ways, "layers": of_layers}


def tables(document: dict[str, Any]) -> list[Table]:
    """Errors, layers, costs and bytes of each headset."""
    from psog.benchmarks.precision_tables import tables_of

    return [table for name in document["headsets"] for table in tables_of(name, document)]
