"""Our optimizers inside PyTorch: `step()` on one flat parameter."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.problems import EVIDENCE_STEPS, LR, WATCHED, weights_and_gradient
from benchmarks.trial import Trial
from spusk import optim
from spusk.interop.torch import Optimizer


def updates(name: str, n: int, steps: int, threads: int, compile: bool = False) -> Trial:
    """Steps of the rule as torch has it, by the adapter; a unit is a step."""
    torch.set_num_threads(threads)
    rule = type(optim.get(name)).like("torch", lr=LR)
    w, g = (torch.from_numpy(array) for array in weights_and_gradient(n))

    def fresh() -> tuple[torch.nn.Parameter, Optimizer]:
        parameter = torch.nn.Parameter(w.clone())
        parameter.grad = g.clone()
        return parameter, Optimizer(rule, [parameter], compile=compile)

    _, optimizer = fresh()

    def once() -> None:
        for _ in range(steps):
            optimizer.step()

    def evidence() -> dict[str, np.ndarray]:
        parameter, optimizer = fresh()
        for _ in range(EVIDENCE_STEPS):
            optimizer.step()
        return {"w": parameter.detach()[:WATCHED].numpy().copy()}

    return Trial(once, steps, evidence)
