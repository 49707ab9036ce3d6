"""Erasing leaves no byte of a user in flash, whatever happened before."""

from pathlib import Path

import numpy as np
import pytest

from psog.cli.erase import Command
from psog.device.client import Client, open_headset
from psog.errors import PsogError
from psog.firmware_export.image import write_image
from psog.virtual.boards import Board
from tests.firmware.device import NET, OTHER_USER, calibrate, upload
from tests.random_nets import grid_headset, with_embedding

IMAGE = write_image(with_embedding(NET, 1, 6), grid_headset(3, 5))
_BIASES = sum(layer.out_channels for layer in NET.layers)
_USER_BYTES = 4 * (2 * (NET.feature_count + 1) + _BIASES)
_HEADER_BYTES = 20  # of a calibration record, docs/SPEC.md
_RUN = 8
"""Bytes of a user that would not be there by chance: there are 2^64 such runs, and 2^20 places in flash."""


def keep(headset: Client, board: Board, first: int = 0) -> None:
    calibrate(headset, board, first=first)
    headset.tune_solve()
    headset.tune_accept()


def users_in(flash: Path) -> list[bytes]:
    """Gaze rows and biases of every calibration record."""
    found = flash.read_bytes().split(b"PCAL")[1:]
    return [record[_HEADER_BYTES - 4 :][:_USER_BYTES] for record in found]


def traces(flash: Path, users: list[bytes], strangers: bytes) -> int:
    """Runs of the users' bytes that lie anywhere in flash, and did not before: a bias may be as it was."""
    runs = np.concatenate([_runs(user) for user in users])
    own = np.setdiff1d(runs, _runs(strangers))
    assert len(own) > _USER_BYTES // 4
    return int(np.isin(_runs(flash.read_bytes()), own).sum())


def _runs(content: bytes) -> np.ndarray:
    """Every 8 successive bytes, as a number; those of few values say nothing and are left out."""
    rows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(content, np.uint8), _RUN)
    sorted_rows = np.sort(rows, axis=1)
    values = 1 + (sorted_rows[:, 1:] != sorted_rows[:, :-1]).sum(axis=1)
    return np.ascontiguousarray(rows[values > 4]).view("<u8")[:, 0]


def test_no_byte_of_any_user_is_left(board, tmp_path):
    flash = tmp_path / "flash"
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        strangers = flash.read_bytes()
        keep(headset, board)
        users = users_in(flash)
        assert len(users) == 1
        keep(headset, board, first=OTHER_USER)
        keep(headset, board)
        users += users_in(flash)
        assert len(set(users)) == 2
        assert traces(flash, users, strangers) > _USER_BYTES
        calibrate(headset, board, first=OTHER_USER)
        headset.tune_solve()  # a trial that is never kept
        headset.calibration_erase()
        assert not headset.hello().calibrated
    assert traces(flash, users, strangers) == 0
    assert flash.read_bytes() == strangers


def test_an_upload_after_a_calibration_holds_nothing_of_the_user(board, tmp_path):
    """Not even one that stops half way."""
    flash = tmp_path / "flash"
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        strangers = flash.read_bytes()
        keep(headset, board)
        users = users_in(flash)
        upload(headset, write_image(with_embedding(NET, 2, 6), grid_headset(3, 5)))
        headset.calibration_erase()
    assert traces(flash, users, strangers) == 0


def test_the_command_asks_for_a_yes_and_tells_what_was_there(board, capsys, monkeypatch, tmp_path):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        keep(headset, board)
    with pytest.raises(PsogError, match=r"nothing was erased on .*: nobody said yes; give --yes"):
        Command(board.port).run()
    Command(board.port, yes=True, json=True).run()
    assert '"was_calibrated": true, "calibrated": false' in capsys.readouterr().out
    Command(board.port, yes=True).run()
    assert "no calibration was in use" in capsys.readouterr().out
