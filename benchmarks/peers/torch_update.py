"""Optimizers on PyTorch's tensors alone: torch's own, pytorch_optimizer's, and ours inside PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import torch

from benchmarks.peers import torch_wrapped
from benchmarks.problems import EVIDENCE_STEPS, Shapes, gradients_of_steps, watched, weights_and_gradients
from benchmarks.trial import Trial

Named = list[tuple[str, torch.nn.Parameter]]
Make = Callable[[Named], Callable[[], Any]]
"""From parameters with gradients, a function that takes a step."""


def library(
    path: str,
    method: str,
    shapes: Shapes,
    steps: int,
    threads: int,
    label: str,
    variant: str = "",
    compiled: bool = False,
    **arguments: Any,
) -> Trial:
    """Steps of a library's optimizer; a unit is a step.

    Args:
        path: of its class, as "torch.optim.Adam".
        method: our name of it; what is in `torch_wrapped.COMPOSED` is made by that.
        shapes: of the parameters.
        steps: in one turn.
        threads: of PyTorch.
        label: the name of the evidence.
        variant: "foreach" or "fused"; default: what the library takes.
        compiled: whether torch.compile compiles the step.
        arguments: of the class, beside the parameters.

    Raises:
        TypeError, RuntimeError: if there is no such variant of it.
    """
    switch = {variant: True} if variant else {}
    build = torch_wrapped.COMPOSED.get((path.partition(".")[0], method))

    def make(named: Named) -> Callable[[], Any]:
        if build is not None:
            step = build(named, switch)
        else:
            step = found(path)([p for _, p in named], **arguments, **switch).step
        return _compiled(step) if compiled else step

    return _trial(make, shapes, steps, threads, label)


def adapter(
    rule: Any,
    shapes: Shapes,
    steps: int,
    threads: int,
    label: str,
    compiled: bool = False,
    inductor: bool = False,
) -> Trial:
    """The same of a rule of ours inside PyTorch: `spusk.interop.torch.Optimizer`.

    Args:
        compiled: whether torch.compile compiles a function that calls its step.
        inductor: whether its operations are PyTorch's, fused by `torch.compile`, instead of native code.
    """
    optimizers = import_module("spusk.interop.torch")
    update = import_module("spusk.interop.update")
    if inductor:
        torch.compiler.reset()  # what earlier rules compiled
    how = {"backend": "torch", "compile": True} if inductor else {}
    described = {name: (shape, "float32") for name, shape in shapes.items()}
    wants_loss = bool(update.update_of(rule, described).needs_closure)
    loss = torch.tensor(1.0)

    def make(named: Named) -> Callable[[], Any]:
        optimizer = optimizers.Optimizer(rule, named, out_first=False, **how)
        step = (lambda: optimizer.step(lambda: loss)) if wants_loss else optimizer.step
        return _compiled(step) if compiled else step

    return _trial(make, shapes, steps, threads, label)


def _compiled(step: Callable[[], Any]) -> Callable[[], Any]:
    """A function that calls the step, compiled; nothing of earlier ones is left."""
    torch.compiler.reset()
    return torch.compile(lambda: step())


def found(path: str) -> Any:
    """What a dotted path names."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _trial(make: Make, shapes: Shapes, steps: int, threads: int, label: str) -> Trial:
    torch.set_num_threads(threads)
    weights, gradients = (
        {name: torch.from_numpy(array) for name, array in arrays.items()}
        for arrays in weights_and_gradients(shapes)
    )

    def fresh() -> tuple[Named, Callable[[], Any]]:
        named = [(name, torch.nn.Parameter(w.clone())) for name, w in weights.items()]
        for name, p in named:
            p.grad = gradients[name].clone()
        return named, make(named)

    _, step = fresh()

    def once() -> None:
        for _ in range(steps):
            step()

    def evidence() -> dict[str, np.ndarray]:
        named, step = fresh()
        each = {name: torch.from_numpy(gradients_of_steps(g.numpy())) for name, g in gradients.items()}
        for i in range(EVIDENCE_STEPS):
            for name, p in named:
                p.grad = each[name][i].clone()  # some methods change it
            step()
        return {label: watched(p.detach().numpy() for _, p in named)}

    return Trial(once, steps, evidence)
