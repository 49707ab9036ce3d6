"""Sparse lists hold a pruned convolution's weights and nothing else."""

import numpy as np
import pytest

from psog.firmware_export.sparse import pack_sparse, pays, sparse_bytes, unpack_sparse
from tests.random_nets import LayerPlan, random_net

PLAN = (LayerPlan("conv", 7, "same"), LayerPlan("conv", 9, "same"), LayerPlan("dense", 3))


def convolution(keep):
    net, _ = random_net(3, PLAN, keep=keep)
    return net.layers[1].weight


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("grid", [(2, 8), (3, 5), (6, 3)])
def test_lists_give_back_the_weights(grid, same):
    weight = convolution(0.3)
    data = pack_sparse(weight, grid, same=same)
    assert sparse_bytes(data) == len(data)
    np.testing.assert_array_equal(unpack_sparse(data, weight.shape, grid, same=same), weight)


def test_of_a_single_row_only_the_middle_kernel_row_is_kept():
    weight = convolution(0.3)
    found = unpack_sparse(pack_sparse(weight, (1, 5), same=True), weight.shape, (1, 5), same=True)
    np.testing.assert_array_equal(found[:, 1], weight[:, 1])
    assert not found[:, [0, 2]].any()


def test_lists_are_for_one_grid():
    weight = convolution(0.3)
    data = pack_sparse(weight, (3, 5), same=True)
    assert unpack_sparse(data, weight.shape, (3, 8), same=True) is None
    assert unpack_sparse(data[:-4], weight.shape, (3, 5), same=True) is None


def test_only_what_has_many_zeros_is_faster_sparse():
    assert pays(convolution(0.2))
    assert not pays(convolution(1))
