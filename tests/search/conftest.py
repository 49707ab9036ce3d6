"""A search without its first minute: what loops cost is known, as it was fitted to 44 random networks."""

import json
from pathlib import Path

import pytest

from psog.headset import load_headset
from psog.search.instructions import InstructionModel

COSTS = Path(__file__).with_name("instructions.json")


@pytest.fixture(scope="session")
def ring16():
    return load_headset("ring16")


@pytest.fixture(scope="session")
def model(ring16):
    return InstructionModel.from_json(json.loads(COSTS.read_text("utf-8")), ring16)
