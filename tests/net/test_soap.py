"""The optimiser gets along ill-conditioned valleys, which is why it is here."""

import torch
from torch import nn

from psog.net.soap import Soap


def correlated_regression(rows=200, inputs=12, outputs=4):
    """Inputs as correlated as photosensors (condition number about 1e4) and an exact linear answer."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(inputs, inputs, generator=generator) * torch.logspace(0, -2, inputs)
    x = torch.randn(rows, inputs, generator=generator) @ mixing.T
    return x, x @ torch.randn(inputs, outputs, generator=generator)


def loss_after(steps, take_step, weight, x, y):
    for _ in range(steps):
        loss = (x @ weight - y).square().mean()
        loss.backward()
        take_step()
    return float((x @ weight - y).square().mean().detach())


def test_soap_solves_a_correlated_regression_that_adam_does_not():
    x, y = correlated_regression()
    weight = nn.Parameter(torch.zeros(12, 4))
    soap = Soap([weight])
    by_soap = loss_after(300, lambda: soap.step(0.03), weight, x, y)

    weight = nn.Parameter(torch.zeros(12, 4))
    adam = torch.optim.Adam([weight], lr=0.03)

    def adam_step():
        adam.step()
        adam.zero_grad()

    by_adam = loss_after(300, adam_step, weight, x, y)
    assert by_soap < 0.1 * by_adam


def test_parameters_without_gradient_stay_where_they_are():
    used, unused = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    optimiser = Soap([used, unused])
    for _ in range(3):
        used.square().sum().backward()
        optimiser.step(0.1)
    assert float(unused.detach().sum()) == 3.0
    assert float(used.detach().sum()) < 3.0


def test_gradients_of_a_pruned_layer_give_steps_that_are_numbers():
    """Of these sparse gradients single precision finds no eigenvectors for more than half."""
    for seed in range(10):
        generator = torch.Generator().manual_seed(seed)
        mask = torch.rand(16, 144, generator=generator) < 0.22
        mask[:, torch.randperm(144, generator=generator)[20:]] = False
        weight = nn.Parameter(torch.zeros(16, 144))
        soap = Soap([weight])
        for _ in range(3):
            weight.grad = torch.randn(16, 144, generator=generator) * mask
            soap.step(0.1)
        assert weight.detach().isfinite().all() and weight.detach().any()
