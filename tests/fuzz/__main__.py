"""Fuzzing the firmware's parsers.

python -m tests.fuzz run [--runs N] [--seconds N] [--target T …] [--keep FOLDER]   libFuzzer, a core each
python -m tests.fuzz short [--runs N] [--target T …]                               gcc alone, no feedback
python -m tests.fuzz coverage                                                      branches of the corpus
python -m tests.fuzz merge FOLDER                                                  what FOLDER adds to it
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.build import CLANG, HERE, TARGETS, build_driver, build_libfuzzer, cores, corpus, has_libfuzzer
from tests.fuzz.coverage import branch_coverage

_LONGEST = {"frames": 256, "commands": 128}
_OTHERS_LONGEST = 1024
"""Bytes of an input under libFuzzer. Of sequences, many short ones find more than a few long ones."""
_MERGED_LONGEST = 1536


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("what", choices=("run", "short", "coverage", "merge"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--runs", type=float, default=None)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--target", nargs="*", choices=TARGETS, default=TARGETS)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    options = parser.parse_args()
    if options.what in ("run", "merge") and not has_libfuzzer():
        print(f"{CLANG} is missing; on Debian: apt-get install {CLANG}", file=sys.stderr)
        return 1
    if options.what == "run":
        return run(options.target, int(options.runs or 1e8), options.seconds, options.keep.resolve())
    if options.what == "short":
        return short(options.target, int(options.runs or 1e6))
    if options.what == "merge":
        return merge(options.target, options.folder.resolve())
    return coverage()


def run(targets: list[str], runs: int, seconds: int, keep: Path) -> int:
    """What is found, logs and the grown corpus stay in `keep`."""

    def one(target: str) -> int:
        grown = keep / "corpus" / target
        grown.mkdir(parents=True, exist_ok=True)
        longest = _LONGEST.get(target, _OTHERS_LONGEST)
        limits = [f"-runs={runs}", f"-max_total_time={seconds}", f"-max_len={longest}", "-use_counters=0"]
        places = [f"-artifact_prefix={keep}/{target}-", str(grown), str(HERE / "corpus" / target)]
        with (keep / f"{target}.log").open("w") as log:
            return subprocess.run(
                [str(programs[target]), *limits, "-detect_leaks=0", "-reload=0", *places],
                stderr=log,
                check=False,
            ).returncode

    keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cores()) as pool:
        programs = build_libfuzzer(Path(folder))
        codes = dict(zip(targets, pool.map(one, targets), strict=True))
    for target, code in codes.items():
        done = [
            line
            for line in (keep / f"{target}.log").read_text("utf-8", "replace").splitlines()
            if "Done" in line
        ]
        print(f"{target}: {'found something' if code else 'nothing found'}; {' '.join(done)}; {keep}")
    return max(codes.values())


def short(targets: list[str], runs: int) -> int:
    """Seed 1."""
    program = build_driver()
    for target in targets:
        begun_s = os.times().children_user
        finding = Path(f"finding-{target}").resolve()
        arguments = [target, str(runs), "1", str(finding), *map(str, corpus(target))]
        code = subprocess.run([str(program), *arguments], check=False).returncode
        spent_s = os.times().children_user - begun_s
        print(f"{target}: {runs} runs, {runs / max(spent_s, 0.01):.0f} a second of processor time")
        if code:
            print(f"{target}: found something; the input is {finding}", file=sys.stderr)
            return 1
    return 0


def coverage() -> int:
    """Of the corpus as it is checked in."""
    for name, branches in branch_coverage().items():
        lines = ", ".join(map(str, branches.missed))
        print(
            f"{name:16} {branches.taken:4} of {branches.all:4} branches, {branches.share:6.1%}; not: {lines}"
        )
    return 0


def merge(targets: list[str], folder: Path) -> int:
    """Makes the corpus anew: of it and of what lies in `folder`, few small inputs that reach as much."""
    with tempfile.TemporaryDirectory() as built:
        programs = build_libfuzzer(Path(built))
        for target in targets:
            kept, chosen = HERE / "corpus" / target, Path(built) / f"{target}-corpus"
            for place in (kept, chosen, folder / target):
                place.mkdir(parents=True, exist_ok=True)
            limits = ["-merge=1", f"-max_len={_MERGED_LONGEST}", "-use_counters=0", "-detect_leaks=0"]
            subprocess.run(
                [str(programs[target]), *limits, str(chosen), str(kept), str(folder / target)],
                check=True,
                stderr=subprocess.DEVNULL,
            )
            shutil.rmtree(kept)
            shutil.copytree(chosen, kept)
            print(f"{target}: {len(corpus(target))} inputs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
