"""A core's kernels are plain C's, for random layers with every corner, and stay inside their arrays.

The program of `psog bench kernels`, in short; tests/firmware/test_kernels_on_board.py checks whole networks.
"""

import pytest

from psog.errors import ToolchainError
from psog.firmware_export.kernel_check import check_kernels
from psog.firmware_export.toolchain import available_boards
from tests.firmware.emulated import WITH_OWN_KERNELS, pairs

needs_compiler = pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")


def assert_identical(found, cases):
    assert (found.cases, found.different) == (cases, 0), f"the first is number {found.first}"


@pytest.mark.skipif(not WITH_OWN_KERNELS, reason="no cross compiler or no QEMU is installed")
@pytest.mark.parametrize("board", WITH_OWN_KERNELS)
def test_every_output_is_identical(board):
    found = check_kernels(board, 1000, seed=5)
    assert_identical(found, 1000)
    assert set(found.packed) == ({"int16", "int8", "sparse", "int4"} if pairs(board) else {"plain", "plain4"})


@needs_compiler
@pytest.mark.parametrize(("cases", "sanitize"), [(5000, False), (1000, True)])
def test_paired_kernels_in_c_are_checked_on_this_computer(cases, sanitize):
    found = check_kernels("host", cases, seed=5, sanitize=sanitize)
    assert_identical(found, cases)
    assert found.packed["sparse"] > cases / 4
    assert 0 < found.accepted < found.changed == found.packed["sparse"]


@needs_compiler
@pytest.mark.skipif(not WITH_OWN_KERNELS, reason="no cross compiler or no QEMU is installed")
def test_a_case_is_the_same_everywhere():
    boards = ["host", *(board for board in WITH_OWN_KERNELS if pairs(board))]
    found = [check_kernels(board, 200, seed=6) for board in boards]
    assert found == found[:1] * len(boards)


@needs_compiler
def test_a_check_in_several_runs_counts_every_layer_once(monkeypatch):
    whole, told = check_kernels("host", 700, seed=7), []
    monkeypatch.setattr("psog.firmware_export.kernel_check._CASES_AT_ONCE", 300)
    assert check_kernels("host", 700, seed=7, progress=told.append) == whole
    assert told == [300, 600, 700]


def test_sanitizers_are_the_hosts():
    with pytest.raises(ToolchainError, match="kernels of mps2-an386 with sanitizers; only host has them"):
        check_kernels("mps2-an386", 1, sanitize=True)


def test_a_core_that_runs_plain_c_has_nothing_to_compare():
    with pytest.raises(ToolchainError, match="nothing to compare: lm3s6965evb's core runs plain C"):
        check_kernels("lm3s6965evb", 1)
