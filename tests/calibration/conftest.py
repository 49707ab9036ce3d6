"""A steady eye, an image of a network that knows when it is closed, and a client of a headset on that eye."""

from pathlib import Path

import pytest

from psog.firmware_export.image_writer import write_image
from psog.net.store import load_model
from tests.calibration.steady import SteadyEye, that_knows_when_it_is_closed
from tests.calibration.worn import FULL_PLAN, HEADSET, worn_by


@pytest.fixture
def eye() -> SteadyEye:
    return SteadyEye(HEADSET)


@pytest.fixture
def image(tiny_model: Path, eye: SteadyEye) -> bytes:
    places = [(target.h_deg, target.v_deg) for target in (*FULL_PLAN.calibration, *FULL_PLAN.validation)]
    return write_image(that_knows_when_it_is_closed(load_model(tiny_model).net, eye, places), HEADSET)


@pytest.fixture
def client(eye: SteadyEye, image: bytes, tmp_path: Path):
    with worn_by(eye, image, tmp_path / "flash") as client:
        yield client
