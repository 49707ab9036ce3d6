"""What pulls features of two domains together: zero for equal ones, lower where they have become alike."""

import pytest
import torch

from psog.net.domain.adversary import Adversary
from psog.net.domain.discrepancies import coral, dare_gram, mmd

DISCREPANCIES = [coral, mmd, dare_gram]


def features(seed, count=200, width=6):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)).relu() + 0.1


def skewed(x):
    """A domain whose features correlate otherwise."""
    turn = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(9))).Q
    return (x * torch.tensor([1.0, 3.0, 0.3, 1.0, 2.0, 0.5])) @ turn


@pytest.mark.parametrize("discrepancy", DISCREPANCIES)
def test_equal_domains_are_no_way_apart_and_others_are(discrepancy):
    x = features(0)
    assert abs(float(discrepancy(x, x))) < 1e-5
    assert float(discrepancy(x, features(1))) < 0.2 * float(discrepancy(x, skewed(features(1))))


@pytest.mark.parametrize("discrepancy", DISCREPANCIES)
def test_the_order_of_samples_and_the_size_of_batches_do_not_count(discrepancy):
    x, y = features(0), skewed(features(1))
    apart = float(discrepancy(x, y))
    assert float(discrepancy(x.flip(0), y.flip(0))) == pytest.approx(apart, rel=1e-3)
    if discrepancy is not coral:  # which divides by n - 1
        assert float(discrepancy(torch.cat([x, x]), torch.cat([y, y]))) == pytest.approx(apart, rel=1e-3)


@pytest.mark.parametrize("discrepancy", DISCREPANCIES)
def test_its_gradient_brings_the_domains_together(discrepancy):
    x, other = features(0), skewed(features(1))
    before = float(discrepancy(x, other))
    other.requires_grad_()
    optimiser = torch.optim.Adam([other], lr=0.02)
    for _ in range(40):
        optimiser.zero_grad()
        discrepancy(x, other).backward()
        optimiser.step()
    assert float(discrepancy(x, other).detach()) < 0.6 * before


def test_dare_gram_does_not_see_what_the_heads_solution_does_not():
    """Two samples that change places with their negatives have the same Gram matrix but for the bias."""
    x = features(0) - features(0).mean(0)
    assert float(dare_gram(x, -x)) < 1e-4 < float(mmd(x, -x))


def test_an_adversary_learns_to_tell_domains_and_features_learn_to_hide():
    source, target = features(0), features(1) + 1.0
    adversary = Adversary(6, seed=0)
    told = [float(adversary(source, target, 1.0).detach()) for _ in range(60)]
    assert told[-1] > told[0] + 0.1  # it guesses less and less
    shift = torch.zeros(6, requires_grad=True)
    adversary(source, target + shift, 1.0).backward()
    assert (shift.grad > 0).sum() >= 5  # down the gradient: back to the source


def test_an_adversary_depends_on_its_seed_alone_and_sets_in_along_the_run():
    calls = [float(Adversary(6, seed)(features(0), features(1) + 1, 0.5)) for seed in (1, 1, 2)]
    assert calls[0] == calls[1] != calls[2]
    assert float(Adversary(6, 1)(features(0), features(1) + 1, 0.0)) == 0.0
