"""The closed form for the head: what it fits, and that both forms of it are one."""

import numpy as np
import pytest
import torch

from psog.errors import ShapeError
from psog.net.ridge import solve_head, solve_heads


@pytest.fixture
def samples():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(60, 5))
    head = rng.normal(size=(2, 6))
    target_deg = features @ head[:, :-1].T + head[:, -1]
    return features, target_deg, head


def test_many_exact_samples_and_a_weak_prior_give_the_true_head(samples):
    features, target_deg, head = samples
    fitted = solve_head(features, target_deg, np.zeros((3, 6)), 1e-10)
    np.testing.assert_allclose(fitted, head, atol=1e-6)


def test_a_strong_prior_keeps_the_population_head(samples):
    features, target_deg, _ = samples
    prior = np.arange(18.0).reshape(3, 6)
    np.testing.assert_allclose(solve_head(features, target_deg, prior, 1e12), prior[:2], atol=1e-6)


def test_repeating_every_sample_changes_nothing(samples):
    features, target_deg, head = samples
    once = solve_head(features, target_deg, head * 0.5, 0.1)
    thrice = solve_head(np.tile(features, (3, 1)), np.tile(target_deg, (3, 1)), head * 0.5, 0.1)
    np.testing.assert_allclose(once, thrice, atol=1e-10)


def test_batched_form_equals_the_plain_one_and_passes_over_blinks(samples):
    features, target_deg, head = samples
    prior = head * 0.8
    counted = (np.arange(60) % 4 > 0).astype(np.float32)
    batched = solve_heads(
        torch.tensor(features[None], dtype=torch.float32),
        torch.tensor(target_deg[None], dtype=torch.float32),
        torch.tensor(prior, dtype=torch.float32),
        torch.tensor(0.05),
        torch.tensor(counted[None]),
    )
    open_only = counted > 0
    plain = solve_head(features[open_only], target_deg[open_only], prior, 0.05)
    np.testing.assert_allclose(batched[0].numpy(), plain, atol=1e-4)


def test_batched_form_carries_gradients_to_features_prior_and_ridge(samples):
    features, target_deg, head = samples
    arguments = [
        torch.tensor(features[None, :12], requires_grad=True),
        torch.tensor(target_deg[None, :12]),
        torch.tensor(head * 0.8, requires_grad=True),
        torch.tensor(0.05, dtype=torch.float64, requires_grad=True),
        torch.ones(1, 12, dtype=torch.float64),
    ]
    assert torch.autograd.gradcheck(solve_heads, arguments)


def test_arrays_that_do_not_belong_together_are_refused(samples):
    features, target_deg, head = samples
    with pytest.raises(ShapeError, match=r"cannot fit a head: .*\(59, 2\)"):
        solve_head(features, target_deg[:-1], head, 0.1)
    with pytest.raises(ShapeError, match="n at least 1"):
        solve_head(features[:0], target_deg[:0], head, 0.1)
