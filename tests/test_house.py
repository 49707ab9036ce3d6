"""The house rules that a machine can check: style, types, and which floor may use which."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {
    "psog": ROOT / "psog",
    "psog.sim": ROOT / "sim",
    "psog.firmware_export": ROOT / "firmware_export",
    "psog.calibration": ROOT / "calibration",
    "psog.benchmarks": ROOT / "benchmarks",
}
FLOORS = [
    ("psog.cli", "psog.benchmarks"),
    ("psog.live", "psog.virtual", "psog.calibration", "psog.search"),
    ("psog.firmware_export", "psog.device", "psog.probe", "psog.web"),
    ("psog.net", "psog.sim"),
]
"""From the roof down; what is not listed is the ground floor."""
MAY_NOT_MEET = {("psog.net", "psog.sim"), ("psog.sim", "psog.net")}


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"]])
def test_style(command):
    run = subprocess.run([sys.executable, "-m", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_types():
    run = subprocess.run([sys.executable, "scripts/typecheck"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def modules() -> dict[str, Path]:
    found = {}
    for package, folder in FOLDERS.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join((package, *(p for p in parts if p != "__init__")))] = path
    return found


def part_and_floor(module: str) -> tuple[str, int]:
    for height, parts in enumerate(reversed(FLOORS), start=2):
        for part in parts:
            if module == part or module.startswith(part + "."):
                return part, height
    return "psog", 1


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("psog.")}


def test_imports_only_go_down_the_floors():
    wrong = []
    for module, path in modules().items():
        part, floor = part_and_floor(module)
        if module in ("psog", "psog.__main__"):
            continue  # the doors: psog.connect, and `python -m psog` opens the command line
        for name in imports(path):
            other, other_floor = part_and_floor(name)
            if other_floor > floor or (part, other) in MAY_NOT_MEET:
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_a_benchmark_is_not_what_a_verb_is_made_of():
    wrong = [
        m
        for m, p in modules().items()
        if m.startswith("psog.cli.") and any("psog.benchmarks" in i for i in imports(p))
    ]
    assert wrong == []
