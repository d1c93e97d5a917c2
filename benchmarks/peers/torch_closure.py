"""Rules that need a closure on PyTorch: their steps, with the gradients and curvatures they ask for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.peers.torch_mlp import network
from benchmarks.peers.torch_update import found
from benchmarks.problems import Mlp
from benchmarks.trial import Trial

Loss = Callable[[], torch.Tensor]
Make = Callable[[torch.nn.Module], Callable[[Loss], Any]]
"""From a network, a function that takes a step on a loss and returns that loss."""


def library(problem: Mlp, path: str, method: str, threads: int, label: str, **arguments: Any) -> Trial:
    """Steps of a library's optimizer over the problem's batches again and again; a unit is a step.

    Args:
        path: of its class, as "pytorch_optimizer.SAM".
        method: our name of it.
        label: the name of the evidence; "" if random numbers make it another each time.
        arguments: of the class, beside the parameters.
    """

    def sam(net: torch.nn.Module) -> Callable[[Loss], Any]:
        optimizer = found(path)(net.parameters(), torch.optim.SGD, lr=0.01, momentum=0.9, **arguments)

        def step(loss: Loss) -> torch.Tensor:
            def closure() -> torch.Tensor:
                optimizer.zero_grad()
                value = loss()
                value.backward()
                return value

            first = closure()
            optimizer.step(closure)
            return first.detach()

        return step

    def second_order(net: torch.nn.Module) -> Callable[[Loss], Any]:
        optimizer = found(path)(net.parameters(), **arguments)

        def step(loss: Loss) -> torch.Tensor:
            optimizer.zero_grad()
            value = loss()
            value.backward(create_graph=True)
            optimizer.step()
            return value.detach()

        return step

    return _trial(problem, sam if method == "sam" else second_order, threads, label)


def adapter(problem: Mlp, rule: Any, threads: int, label: str, inductor: bool = False) -> Trial:
    """The same of a rule of ours inside PyTorch: `spusk.interop.torch.Optimizer`."""
    optimizers = import_module("spusk.interop.torch")
    update = import_module("spusk.interop.update")
    how = {"backend": "torch", "compile": True} if inductor else {}
    if inductor:
        torch.compiler.reset()
    described = {name: (array.shape, "float32") for name, array in problem.flat().items()}
    questions = update.update_of(rule, described).questions
    differentiates = any(question.kind == "hvp" for question in questions)

    def make(net: torch.nn.Module) -> Callable[[Loss], Any]:
        optimizer = optimizers.Optimizer(rule, net.named_parameters(), **how)

        def step(loss: Loss) -> Any:
            def closure() -> torch.Tensor:
                optimizer.zero_grad()
                value = loss()
                value.backward()
                return value

            return optimizer.step(loss if differentiates else closure).detach()

        return step

    return _trial(problem, make, threads, label)


def _trial(problem: Mlp, make: Make, threads: int, label: str) -> Trial:
    torch.set_num_threads(threads)
    x, y, rows = (torch.from_numpy(a) for a in (problem.x, problem.y, problem.rows))
    batches = [(x[batch], y[batch]) for batch in rows.flatten(0, 1).unbind()]

    def fresh() -> Callable[[], list[torch.Tensor]]:
        net = network(problem)
        linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
        with torch.no_grad():
            for layer, (weight, bias) in zip(linear, problem.layers, strict=True):
                layer.weight.copy_(torch.from_numpy(weight.T))
                layer.bias.copy_(torch.from_numpy(bias))
        step = make(net)
        return lambda: [step(lambda b=b: functional.cross_entropy(net(b[0]), b[1])) for b in batches]

    train = fresh()

    def evidence() -> dict[str, np.ndarray]:
        return {label: torch.stack(fresh()()).numpy()} if label else {}

    return Trial(train, problem.steps, evidence)
