"""A core's kernels are plain C's, for random layers with every corner, and stay inside their arrays.

The program of `psog bench kernels`, in short; tests/firmware/test_kernels_on_board.py checks whole networks.
"""

import pytest

from psog.errors import ToolchainError
from psog.firmware_export.kernel_check import check_kernels
from tests.firmware.emulated import WITH_OWN_KERNELS


@pytest.mark.skipif(not WITH_OWN_KERNELS, reason="no cross compiler or no QEMU is installed")
@pytest.mark.parametrize("board", WITH_OWN_KERNELS)
def test_every_output_is_identical(board):
    found = check_kernels(board, 1000, seed=5)
    assert (found.cases, found.different) == (1000, 0), f"the first is number {found.first}"


def test_a_board_that_is_not_emulated_cannot_be_checked():
    with pytest.raises(ToolchainError, match="does not emulate board 'host'"):
        check_kernels("host", 1)
