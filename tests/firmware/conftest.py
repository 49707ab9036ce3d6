"""The boards that can run here."""

import pytest

from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import start_board

SESSION_BOARDS = ("host", "mps2-an386")
"""Every session test runs on these; the application is the same on all others (test_session_per_board.py)."""


@pytest.fixture(params=SESSION_BOARDS)
def board(request, tmp_path):
    if request.param not in available_boards():
        pytest.skip(f"no compiler or emulator for {request.param} is installed")
    with start_board(request.param, tmp_path / "flash") as running:
        yield running
