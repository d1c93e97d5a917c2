"""PyTorch: many trainings, one after the other or stacked with `torch.func.vmap`."""

from __future__ import annotations

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, vmap
from torch.nn import functional

from benchmarks.peers.torch_mlp import Training, network
from benchmarks.problems import Lanes
from benchmarks.trial import Trial

FEW = 2
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def loop(problem: Lanes) -> Trial:
    """A few of the trainings, eager; a unit is a step of one training.

    One thread: for so small a network, two are slower.
    """
    torch.set_num_threads(1)
    few = problem.problems[:FEW]
    trainings = [Training(p, "fused") for p in few]

    def once() -> list[np.ndarray]:
        return [training.losses() for training in trainings]

    return Trial(
        once,
        sum(p.steps for p in few),
        lambda: {"losses": np.stack(once())},
        note=f"{len(few)} of {len(problem.problems)} trainings in turn, one thread; extrapolated",
    )


def stacked(problem: Lanes, threads: int) -> Trial:
    """All trainings at once: `vmap` of the gradient, and Adam written out, as each has its own rate."""
    torch.set_num_threads(threads)
    problems = problem.problems
    model = network(problems[0])
    x, y = torch.from_numpy(problems[0].x), torch.from_numpy(problems[0].y)
    rows = torch.from_numpy(np.stack([p.rows for p in problems], 2))  # [epochs, steps, lanes, batch]
    first = {
        name: torch.from_numpy(np.stack([p.flat()[name].T for p in problems])) for name in problems[0].flat()
    }
    lrs = torch.tensor([p.lr for p in problems], dtype=torch.float32)

    def objective(parameters: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(functional_call(model, parameters, x), y)

    gradients = vmap(grad_and_value(objective))

    def train() -> torch.Tensor:
        w = {name: array.clone() for name, array in first.items()}
        m = {name: torch.zeros_like(array) for name, array in w.items()}
        v = {name: torch.zeros_like(array) for name, array in w.items()}
        losses: list[torch.Tensor] = []
        for t, batch in enumerate(rows.reshape(-1, *rows.shape[2:]).unbind(), 1):
            g, loss = gradients(w, x[batch], y[batch])
            for name in w:
                alpha = (lrs / (1 - BETA1**t)).reshape(-1, *[1] * (w[name].ndim - 1))
                m[name].lerp_(g[name], 1 - BETA1)
                v[name].mul_(BETA2).addcmul_(g[name], g[name], value=1 - BETA2)
                root = (v[name] / (1 - BETA2**t)).sqrt_().add_(EPS)
                w[name].sub_(alpha * m[name] / root)
            losses.append(loss)
        return torch.stack(losses)

    def evidence() -> dict[str, np.ndarray]:
        found = train().numpy().reshape(*rows.shape[:3])  # [epochs, steps, lanes]
        return {"losses": found.transpose(2, 0, 1)}

    return Trial(train, problem.steps, evidence, note="torch.func.vmap, Adam written out")
