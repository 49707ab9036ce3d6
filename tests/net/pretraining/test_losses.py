"""The three losses against what their papers say of them."""

import math

import pytest
import torch

from psog.net.pretraining.losses import REDUNDANCY, barlow_twins, byol, nnclr


def uncorrelated(rows: int, width: int) -> torch.Tensor:
    """Columns without mean that are orthogonal to each other."""
    random = torch.randn(rows, width, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return torch.linalg.qr(random - random.mean(0))[0]


def test_barlow_twins_is_zero_for_equal_views_of_uncorrelated_dimensions():
    x = uncorrelated(64, 8)
    assert barlow_twins(x, 3 * x + 2).item() == pytest.approx(0, abs=1e-9)  # scale and offset do not count


def test_barlow_twins_counts_what_two_dimensions_share():
    x = uncorrelated(64, 8)
    twice = x.clone()
    twice[:, 1] = x[:, 0]
    # The pair (0, 1) correlates by 1 in both orders; nothing else changes.
    assert barlow_twins(twice, twice).item() == pytest.approx(2 * REDUNDANCY, rel=1e-6)


def test_barlow_twins_of_views_that_share_nothing_is_the_number_of_dimensions():
    x = uncorrelated(64, 16)
    assert barlow_twins(x[:, :8], x[:, 8:]).item() == pytest.approx(8, rel=1e-6)


def test_byol_goes_from_0_for_the_same_way_to_4_for_the_opposite_one():
    x = uncorrelated(16, 4)
    assert byol(2 * x, x).item() == pytest.approx(0, abs=1e-9)
    assert byol(-x, x).item() == pytest.approx(4)


def test_byol_has_no_gradient_through_its_target():
    predicted, target = (uncorrelated(16, 4).roll(k, 1).requires_grad_() for k in (0, 1))
    byol(predicted, target).backward()
    assert predicted.grad.abs().sum() > 0 and target.grad is None


def test_nnclr_asks_for_the_neighbour_in_the_queue_and_not_for_the_view_itself():
    queue = torch.eye(4, dtype=torch.float64)
    near = 0.9 * queue[:2] + 0.1 * queue[2:]
    right = nnclr(near, queue[:2], queue, temperature=0.1)
    wrong = nnclr(near, queue[:2].flip(0), queue, temperature=0.1)
    # Similarities are 1 and 0: cross entropy of softmax([10, 0]), and of the other class.
    assert right.item() == pytest.approx(math.log1p(math.exp(-10)), rel=1e-6)
    assert wrong.item() == pytest.approx(10 + math.log1p(math.exp(-10)), rel=1e-6)
