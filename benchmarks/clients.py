"""`psog bench clients`: processor time of programs that take a thousand readings a second."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from psog.benchmarks.tables import Table
from psog.errors import LinkError, PsogError

if TYPE_CHECKING:
    from rich.console import Console

_BEGIN_S = 2.0
"""The shorter run: start-up and the learning of the clock, which the longer one has too, are taken away."""
_LOOPS = {
    "Python, sample by sample": "headset.gaze(seconds=seconds)",
    "Python, batches of 10 ms": "headset.batches(0.01)",
    "Python, batches of 10 ms, with readings": "headset.batches(0.01, sensors=True)",
    "Python, batches of 50 ms": "headset.batches(0.05)",
}
_PROGRAM = """
import sys, psog
port, seconds = sys.argv[1], float(sys.argv[2])
with psog.connect(port) as headset:
    taken, first_us = 0, None
    for item in {loop}:
        times_us = item.t_us
        count, now_us = (len(times_us), int(times_us[-1])) if hasattr(times_us, "__len__") else (1, times_us)
        taken += count
        first_us = now_us if first_us is None else first_us
        if now_us - first_us >= 1e6 * seconds:
            break
    print(taken)
"""


class Program(NamedTuple):
    """One that takes gaze.

    Attributes:
        words: of its command line, but for the seconds, which come last.
        readings: how many it took, from what it printed.
    """

    words: Sequence[str]
    readings: Callable[[str], int]


@dataclass(frozen=True)
class Command:
    """A virtual headset at 1 kHz on a port, and one program after the other that takes its gaze.

    Of each the processor time a second, and what the system does for it, by a long and a short run. Figures
    depend on the computer and on what else it does.
    """

    seconds: float = 20.0
    """The longer run of each."""
    short: bool = False
    """Four seconds, and only the first of the programs."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        if not _BEGIN_S < self.seconds <= 3600:
            raise PsogError(f"--seconds is {self.seconds:g}; expected more than {_BEGIN_S:g}, up to 3600")
        document = measure(4.0 if self.short else self.seconds, Console(stderr=True), few=self.short)
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())


def measure(seconds: float, console: Console, *, few: bool) -> dict[str, Any]:
    """Per program "cpu_percent" of a core, and "readings" that the longer run took."""
    from psog.firmware_export.image_file import load_image
    from psog.headset import load_headset
    from psog.sim.cores import available_cores
    from psog.virtual.headset import VirtualHeadset
    from psog.virtual.wearer import Wearer

    found: dict[str, Any] = {}
    wearer = Wearer(load_headset("ring16"), 1000)
    with (
        VirtualHeadset("host", wearer, image=load_image(Path("ring16"))) as virtual,
        tempfile.TemporaryDirectory(prefix="psog-clients-") as folder,
    ):
        programs = _programs(virtual.port, Path(folder))
        for name in list(programs)[:1] if few else programs:
            with console.status(name):
                (_, begin_cpu_s), (readings, cpu_s) = (_run(programs[name], s) for s in (_BEGIN_S, seconds))
            found[name] = {
                "cpu_percent": 100 * (cpu_s - begin_cpu_s) / (seconds - _BEGIN_S),
                "readings": readings,
            }
    machine = {"cores": available_cores(), "load_average": os.getloadavg()[0]}
    return {"model": "ring16", "rate_hz": 1000, "seconds": seconds, **machine, "programs": found}


def _programs(port: str, folder: Path) -> dict[str, Program]:
    psog = [sys.executable, "-m", "psog"]
    record = [*psog, "record", str(folder / "recording"), "--port", port, "--force", "--json"]
    stream = [*psog, "stream", "--port", port, "--format", "csv", "--seconds"]

    def rows(said: str) -> int:
        return int(json.loads(said)["rows"])

    loops = {
        name: Program([sys.executable, "-c", _PROGRAM.format(loop=loop), port], int)
        for name, loop in _LOOPS.items()
    }
    return {
        "psog record": Program([*record, "--seconds"], rows),
        **loops,
        "psog record --sensors": Program([*record, "--sensors", "--seconds"], rows),
        "psog stream --format csv": Program(stream, lambda said: len(said.splitlines()) - 1),
    }


def _run(program: Program, seconds: float) -> tuple[int, float]:
    """Readings that it took, and its processor time, with what the system did for it.

    Raises:
        LinkError: it failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run([*program.words, str(seconds)], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if said.returncode != 0:
        why = (said.stderr.splitlines() or ["it does not say why"])[-1]
        raise LinkError(f"a program that takes gaze ended with {said.returncode}: {why}")
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return program.readings(said.stdout), used_s


def tables(document: dict[str, Any]) -> Sequence[Table]:
    """The one table, a row for each program."""
    rows = [
        (name, f"{one['cpu_percent']:.1f} %", f"{one['readings']:,}")
        for name, one in document["programs"].items()
    ]
    title = (
        f"{document['rate_hz']} readings a second of {document['model']}, {document['seconds']:g} s each, "
        f"at a load of {document['load_average']:.1f} on {document['cores']} cores"
    )
    return [Table(title, ("program", "of a core", "readings"), rows)]
