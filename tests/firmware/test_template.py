"""The folder that a port begins with runs as it is."""

import numpy as np
import pytest

from psog.device.client import open_headset
from psog.device.messages import Stream
from psog.device.samples import FeatureSample
from psog.firmware_export.boards import BOARDS, CORTEX_M3, serial_board
from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import start_board
from tests.firmware.device import IMAGE, NET, READINGS, streamed, upload


def test_the_template_is_a_headset_in_qemu(monkeypatch, tmp_path):
    monkeypatch.setitem(BOARDS, "template", serial_board("template", CORTEX_M3, "mps2-an385"))
    if "template" not in available_boards():
        pytest.skip("no cross compiler or no QEMU is installed")
    with start_board("template", tmp_path / "flash") as board, open_headset(board.port) as headset:
        upload(headset, IMAGE)
        samples = streamed(headset, board, Stream.FEATURES, 0, 10)[FeatureSample]
        np.testing.assert_array_equal([s.features for s in samples], NET.features(NET.input(READINGS[:10])))
        headset.restart()
        assert headset.info.board == "template"
        assert headset.info.model_crc32 != 0
