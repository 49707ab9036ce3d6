"""A headset that is built for keys and a name of its own takes models of these alone, over its link."""

import pytest

from psog.device.client import open_headset
from psog.device.error_codes import DeviceErrorCode
from psog.device.identity import model_crc32
from psog.errors import DeviceError
from psog.firmware_export.keys import SigningKey, signed_again
from psog.firmware_export.toolchain import available_boards
from psog.firmware_export.trust import Trust
from psog.virtual.boards import start_board
from tests.firmware.device import IMAGE, code, has, upload

pytestmark = pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")
OWN = SigningKey(
    bytes(range(32)) + bytes.fromhex("f65333fa6303b6a23defd7de2af8aa461cb047ccbf12d4edd29ef3b1eba6706b")
)


def test_a_headset_in_production_takes_its_makers_models_alone(tmp_path):
    trust = Trust((OWN.public,), IMAGE[16:32].rstrip(b"\0").decode(), production=True)
    with start_board("host", tmp_path / "flash", trust=trust) as board, open_headset(board.port) as headset:
        assert not headset.info.development
        own = signed_again(IMAGE, OWN)
        assert upload(headset, own).model_crc32 == model_crc32(IMAGE)
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.SIGNATURE)):
            headset.upload(IMAGE)
        headset.restart()
        assert has(headset, own)
