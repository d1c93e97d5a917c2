"""PyTorch's optimizers alone: `step()` on one flat parameter."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.problems import EVIDENCE_STEPS, LR, WATCHED, weights_and_gradient
from benchmarks.trial import Trial

RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
    "adadelta": ("Adadelta", {}),
    "adam": ("Adam", {}),
    "adamax": ("Adamax", {}),
    "nadam": ("NAdam", {}),
    "radam": ("RAdam", {}),
}
"""Our name -> torch's class, and its arguments beside the learning rate."""


def updates(name: str, n: int, steps: int, variant: str, threads: int) -> Trial:
    """Steps of torch's optimizer in a variant, "foreach" or "fused"; a unit is a step.

    Raises:
        TypeError, RuntimeError: if torch has no such variant of it.
    """
    torch.set_num_threads(threads)
    kind, arguments = RULES[name]
    w, g = (torch.from_numpy(array) for array in weights_and_gradient(n))

    def fresh() -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
        parameter = torch.nn.Parameter(w.clone())
        parameter.grad = g.clone()
        optimizer = getattr(torch.optim, kind)([parameter], lr=LR, **arguments, **{variant: True})
        return parameter, optimizer

    _, optimizer = fresh()

    def once() -> None:
        for _ in range(steps):
            optimizer.step()

    def evidence() -> dict[str, np.ndarray]:
        parameter, optimizer = fresh()
        for _ in range(EVIDENCE_STEPS):
            parameter.grad = g.clone()  # Nesterov's foreach version changes it
            optimizer.step()
        return {"w": parameter.detach()[:WATCHED].numpy().copy()}

    return Trial(once, steps, evidence)
