"""PyTorch: one training, eager or with `torch.compile`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.problems import Mlp
from benchmarks.trial import Trial

VARIANTS = ("fused", "foreach")


class Training:
    """A network, Adam and the batches of one problem.

    Args:
        problem: the training.
        variant: of torch's Adam, one of VARIANTS.
        compiled: whether the forward pass and the loss, and with them their backward pass, are compiled.
    """

    def __init__(self, problem: Mlp, variant: str, compiled: bool = False) -> None:
        self.layers = problem.layers
        self.model = network(problem)
        switch: dict[str, Any] = {variant: True}
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=problem.lr, **switch)
        self.x, self.y, self.rows = (torch.from_numpy(a) for a in (problem.x, problem.y, problem.rows))
        self.loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = self._loss
        if compiled:
            self.loss = torch.compile(self._loss)

    def _loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self.model(x), y)

    def restart(self) -> None:
        """The first weights again, and no state."""
        linear = [layer for layer in self.model if isinstance(layer, torch.nn.Linear)]
        with torch.no_grad():
            for layer, (weight, bias) in zip(linear, self.layers, strict=True):
                layer.weight.copy_(torch.from_numpy(weight.T))
                layer.bias.copy_(torch.from_numpy(bias))
        self.optimizer.state.clear()

    def train(self, batches: int | None = None) -> np.ndarray:
        """The losses of all batches, or of the first few, in order."""
        self.restart()
        x, y, model, optimizer = self.x, self.y, self.loss, self.optimizer
        found: list[torch.Tensor] = []
        for batch in self.rows.flatten(0, 1)[:batches].unbind():
            loss = model(x[batch], y[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            found.append(loss.detach())
        return torch.stack(found).numpy()

    def losses(self) -> np.ndarray:
        """The losses of all batches, [epochs, steps]."""
        return self.train().reshape(self.rows.shape[:2])


def network(problem: Mlp) -> torch.nn.Sequential:
    """Linear layers with ReLU between them."""
    widths = problem.widths
    layers: list[torch.nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def eager(problem: Mlp, threads: int) -> Trial:
    """Eager mode, with the faster one of torch's fused and foreach Adam; a unit is a step."""
    torch.set_num_threads(threads)
    candidates = {variant: Training(problem, variant) for variant in VARIANTS}
    chosen = min(VARIANTS, key=lambda variant: _seconds(candidates[variant]))
    training = candidates[chosen]
    return Trial(training.train, problem.steps, lambda: _evidence(training), note=f"{chosen} Adam")


def compiled(problem: Mlp, threads: int) -> Trial:
    """Forward, loss and backward compiled by `torch.compile`, fused Adam; a unit is a step."""
    torch.set_num_threads(threads)
    training = Training(problem, "fused", compiled=True)
    return Trial(training.train, problem.steps, lambda: _evidence(training), note="fused Adam")


def _seconds(training: Training) -> float:
    """The better of two short trainings, after one to warm up."""
    found: list[float] = []
    for _ in range(3):
        began = perf_counter()
        training.train(batches=10)
        found.append(perf_counter() - began)
    return min(found[1:])


def _evidence(training: Training) -> dict[str, np.ndarray]:
    found = training.losses()
    return {"losses": found, "losses of epochs": found.mean(1)}
