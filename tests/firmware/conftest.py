"""The boards that can run here."""

import pytest

from psog.firmware_export.toolchain import BOARDS, available_boards
from psog.virtual.boards import start_board


@pytest.fixture(params=BOARDS)
def board(request, tmp_path):
    if request.param not in available_boards():
        pytest.skip(f"no compiler or emulator for {request.param} is installed")
    with start_board(request.param, tmp_path / "flash") as running:
        yield running
