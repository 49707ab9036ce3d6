"""A board with little memory says no to what it has no room for, and goes on."""

import numpy as np
import pytest

from psog.device.client import open_headset
from psog.device.error_codes import DeviceErrorCode
from psog.device.messages import Stream
from psog.device.samples import FeatureSample
from psog.errors import DeviceError
from psog.firmware_export.image import write_image
from psog.firmware_export.limits import activation_bytes
from psog.firmware_export.microcontrollers import MICROCONTROLLERS
from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import start_board
from tests.firmware.device import IMAGE, NET, READINGS, code, streamed, upload
from tests.random_nets import LayerPlan, grid_headset, random_net

BOARD, ACTIVATIONS = "lm3s6965evb", 6144
ROOM = MICROCONTROLLERS[BOARD].image_room_bytes
LONG = (LayerPlan("dense", 256), LayerPlan("dense", 48))
WIDE = (LayerPlan("conv", 96, "same"), LayerPlan("dense", 1))


@pytest.mark.skipif(BOARD not in available_boards(), reason="no cross compiler or no QEMU is installed")
def test_what_does_not_fit_is_refused_and_the_model_in_use_stays(tmp_path):
    long_net, wide_net = random_net(1, LONG), random_net(1, WIDE, grid_headset(8, 8))
    assert activation_bytes(long_net[0]) < ACTIVATIONS < activation_bytes(wide_net[0])
    long, wide = write_image(*long_net), write_image(*wide_net)
    assert len(wide) < ROOM < len(long)
    with start_board(BOARD, tmp_path / "flash") as board, open_headset(board.port) as headset:
        assert headset.info.image_room == ROOM
        upload(headset, IMAGE)
        for image in (long, wide):
            with pytest.raises(DeviceError, match=code(DeviceErrorCode.RANGE)):
                headset.upload(image)
        samples = streamed(headset, board, Stream.FEATURES, 0, 5)[FeatureSample]
    np.testing.assert_array_equal([s.features for s in samples], NET.features(NET.input(READINGS[:5])))
