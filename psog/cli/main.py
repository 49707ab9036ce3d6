"""`psog VERB`: the table of verbs. Each verb's module is imported only when it is asked for."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from psog.errors import PsogError


@dataclass(frozen=True)
class Verb:
    """A command: where it lives and what it does in one line.

    The module holds a frozen dataclass `Command` whose fields are the flags and whose `run` does it.
    """

    module: str
    summary: str


VERBS = {
    "demo": Verb("psog.cli.demo", "the main job, end to end, on the virtual headset"),
    "simulate": Verb(
        "psog.cli.simulate", "recordings for a population of users, or from a recorded gaze trace"
    ),
    "show": Verb("psog.cli.show", "draw a headset: the eye, the sensors, what they read"),
    "bound": Verb("psog.cli.bound", "the information limit of a headset: what no estimator can beat"),
    "design": Verb("psog.cli.design", "a better sensor layout, by the gradient of the information limit"),
    "train": Verb("psog.cli.train", "train a population model for a headset"),
    "search": Verb("psog.cli.search", "the best network within a budget of instructions on a board"),
    "pretrain": Verb(
        "psog.cli.pretrain", "a network from readings without labels; psog adapt goes on with it"
    ),
    "adapt": Verb("psog.cli.adapt", "a model for the headset that was built, or for a fleet of them"),
    "align": Verb("psog.cli.align", "a model for a headset that was recorded without gaze"),
    "personalise": Verb("psog.cli.personalise", "a model for one user, from a recording"),
    "evaluate": Verb("psog.cli.evaluate", "error of a model on recordings or unseen users, and a page of it"),
    "recovery": Verb("psog.cli.recovery", "learn from simulated slips: drift alarm, quick recovery"),
    "spike": Verb("psog.cli.spike", "a model as a spiking network, its error and energy beside int8"),
    "export": Verb("psog.cli.export", "gaze.tflite, gaze.psog and report.json from a model"),
    "devices": Verb("psog.cli.devices", "the headsets that are connected, and their ports"),
    "flash": Verb("psog.cli.flash", "send a headset its model over serial, or its firmware by a probe"),
    "doctor": Verb("psog.cli.doctor", "what psog needs, what is missing, and the command that brings it"),
    "keys": Verb("psog.cli.keys", "keys that sign models, and who has signed one"),
    "standardise": Verb("psog.cli.standardise", "a minute of wear evens out parts that differ or have aged"),
    "recenter": Verb("psog.cli.recenter", "one look at a dot after a slip; or whether that is needed"),
    "profiles": Verb("psog.cli.profiles", "users' calibrations under names: list, use, save, delete"),
    "erase": Verb("psog.cli.erase", "forget whose eye a headset knows: no byte of a user stays in flash"),
    "virtual": Verb("psog.cli.virtual", "start a virtual headset and print the port to open"),
    "view": Verb("psog.cli.view", "live gaze, signals and state as a page in the browser"),
    "stream": Verb("psog.cli.stream", "live gaze as text, CSV or JSON lines"),
    "record": Verb("psog.cli.record", "live gaze to a recording that survives a power cut"),
    "replay": Verb("psog.cli.replay", "a recorded headset on a port, at any speed"),
    "convert": Verb("psog.cli.convert", "a recording as CSV or as a BIDS dataset"),
}
BENCHES = {
    "recordings": Verb("psog.benchmarks.recordings", "train and test on third-party recordings"),
    "sim": Verb("psog.benchmarks.sim", "simulator speed and quadrature error"),
    "reference": Verb("psog.benchmarks.reference", "path-traced readings, and the simulator against them"),
    "wear": Verb("psog.benchmarks.wear", "how headsets move on heads and pupils answer to light"),
    "gaze": Verb("psog.benchmarks.gaze", "error of unseen users by calibration points and slip"),
    "confidence": Verb("psog.benchmarks.confidence", "whether a model knows when not to be trusted"),
    "left-out": Verb("psog.benchmarks.left_out", "whether a calibration knows its own accuracy"),
    "tuning": Verb("psog.benchmarks.tuning", "whether a calibration that is kept was ever worse"),
    "points": Verb("psog.benchmarks.points", "error after 1, 5, 9 and 13 points, by the device's own code"),
    "still": Verb("psog.benchmarks.still", "which readings the device takes for those of an eye at rest"),
    "recovery": Verb("psog.benchmarks.recovery", "error over hours of slips, and what sets it right"),
    "recenter": Verb("psog.benchmarks.recenter", "error after a slip, and after one look at one dot"),
    "shift": Verb("psog.benchmarks.shift", "how far a headset has moved, told without a target"),
    "known-user": Verb("psog.benchmarks.known_user", "error of users who are known, against the bound"),
    "movement": Verb("psog.benchmarks.movement", "simulated eye movements in numbers, beside recorded ones"),
    "events": Verb("psog.benchmarks.events", "saccades, fixations and blinks found, against what eyes did"),
    "electronics": Verb("psog.benchmarks.electronics", "SNR and light on the eye, by LED current"),
    "video": Verb("psog.benchmarks.video", "the pupil's centre from what sensors read of real eye videos"),
    "etra2019": Verb("psog.benchmarks.etra2019.command", "the ETRA 2019 paper's protocol and networks"),
    "multistage": Verb("psog.benchmarks.multistage", "what each stage of training buys, at equal steps"),
    "pretraining": Verb(
        "psog.benchmarks.pretraining", "error by share of labels, with and without pretraining"
    ),
    "standardise": Verb("psog.benchmarks.standardise", "what standardising on the device brings, and costs"),
    "precision": Verb("psog.benchmarks.precision", "weights of 4 bits and activations of 16, beside int8"),
    "domains": Verb("psog.benchmarks.domains", "from a labelled source to targets without labels"),
    "pruning": Verb("psog.benchmarks.pruning", "pruning inside training, after it, and smaller networks"),
    "spiking": Verb("psog.benchmarks.spiking", "error against energy of a network of spikes, beside int8"),
    "search": Verb("psog.benchmarks.search", "networks found under a budget, and the shipped architecture"),
    "unplug": Verb("psog.benchmarks.unplug", "a cable pulled out at any byte, again and again"),
    "clock": Verb("psog.benchmarks.clock", "host times of readings, with drift and jitter on the link"),
    "firmware": Verb("psog.benchmarks.firmware", "instructions, flash, RAM and stack per board"),
    "kernels": Verb("psog.benchmarks.kernels", "a core's own kernels against plain C, bit for bit"),
    "view": Verb("psog.benchmarks.view", "a thousand readings a second into the live view's page"),
    "clients": Verb("psog.benchmarks.clients", "processor time of programs that take live gaze"),
    "link": Verb("psog.benchmarks.link", "an hour at 1 kHz: losses, faults, latency, processor time"),
    "skips": Verb("psog.benchmarks.skips", "what a skipped instruction does to the check of signatures"),
    "replay": Verb("psog.benchmarks.replay", "a recording through the firmware, against the integer model"),
}


class Runnable(Protocol):
    """What every verb's `Command` offers."""

    def run(self) -> None: ...


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `psog` command."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["bench"]:
        _dispatch(BENCHES, words[1:], "psog bench", "NAME")
    else:
        _dispatch(VERBS, words, "psog", "VERB")


def run_command(module: str, words: Sequence[str], program: str) -> None:
    """Parse `words` into the module's Command and run it; a PsogError is one line and exit 1."""
    try:
        command = parse(importlib.import_module(module).Command, words, program)
        command.run()
        sys.stdout.flush()
    except PsogError as error:
        sys.exit(f"{program}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader has gone (`psog stream | head`); keep the interpreter's own flush from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"{program}: {error}")


def parse(command_type: type[Runnable], words: Sequence[str], program: str) -> Runnable:
    """The module's Command as these words make it.

    Raises:
        PsogError: the words are not understood.
    """
    import tyro

    captured = io.StringIO()
    try:
        with contextlib.redirect_stderr(captured):
            return tyro.cli(
                command_type, prog=program, args=list(words), config=(tyro.conf.FlagCreatePairsOff,)
            )
    except SystemExit as exit_:
        if exit_.code in (0, None):
            raise
        raise PsogError(f"{_first_sentence(captured.getvalue())}; see {program} --help") from None


def _first_sentence(box: str) -> str:
    """The message inside tyro's framed error, up to its first rule, as one line."""
    text = []
    for line in box.splitlines():
        content = re.sub(r"^[│╭╰]\s?|\s*[│╮╯]$", "", line).strip()
        if line.startswith("╭"):
            continue
        if content.startswith("─"):
            break
        text.append(content)
    return " ".join(text).strip() or "the arguments cannot be understood"


def _dispatch(table: dict[str, Verb], words: list[str], program: str, what: str) -> None:
    name = words[0] if words else "--help"
    if name in ("-h", "--help"):
        print(_overview(table, program, what))
    elif name == "--version":
        from psog import __version__

        print(f"psog {__version__}")
    elif name in table:
        run_command(table[name].module, words[1:], f"{program} {name}")
    else:
        sys.exit(f"{program}: unknown {what.lower()} {name!r}; expected one of {', '.join(table)}")


def _overview(table: dict[str, Verb], program: str, what: str) -> str:
    width = max(map(len, table)) + 2
    lines = [f"usage: {program} {what} [--help] …", ""]
    lines += [f"  {name:<{width}}{verb.summary}" for name, verb in table.items()]
    if table is VERBS:
        lines += [f"  {'bench':<{width}}the figures: {', '.join(BENCHES)}"]
        lines += ["", "psog-calibrate is its own program: it fits the headset to a new user."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
