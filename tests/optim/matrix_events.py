"""A thousand gradients of a matrix in which everything happens that breaks careless update rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from optim.events import FIRST, LR_FACTORS, STEPS
from optim.harness import Step

from spusk.graph import input as new_input
from spusk.optim import Optimizer

SHAPE = (4, 3)
START = np.random.default_rng(7).normal(size=SHAPE)


def _gradients() -> np.ndarray:
    """[STEPS, *SHAPE]: noise with events."""
    random = np.random.default_rng(20240301)
    g = random.normal(size=(STEPS, *SHAPE))
    g[:3] = 0.0  # nothing at first
    g[3:20, :, 1] = 0.0  # a column that begins later
    g[40:60, 2, :] = 0.0  # a row that rests
    g[50:55] = 0.0
    g[100] *= 1e4  # bursts
    g[101:103] *= -1e4
    g[150:250] *= np.geomspace(1, 1e-6, 100)[:, None, None]
    g[250:300] *= 1e-6  # tiny
    g[400:450] = np.outer([1.0, -2.0, 0.5, 1.0], [1.0, 1.0, -1.0])  # constant and of rank one
    g[450:500] *= np.array([1e3, 1.0, 1e-2])  # columns of different sizes
    g[500:520] *= np.where(np.arange(20) % 2, 50.0, -50.0)[:, None, None]
    g[700:702] *= 1e5
    g[702:760] = 0.0
    return g


GRADIENTS = _gradients()[:FIRST]


def rates(lr: float) -> np.ndarray:
    """The learning rate of each step."""
    return lr * LR_FACTORS


def run(
    rule: Optimizer,
    gradients: np.ndarray = GRADIENTS,
    start: np.ndarray = START,
    lrs: np.ndarray | None = None,
) -> np.ndarray:
    """All points of a run on one parameter, [steps + 1, …], on the interpreter; with changing rates."""
    step = Step(rule, {"w": start})
    points = [start]
    for g, lr in zip(gradients, rates(rule.lr) if lrs is None else lrs, strict=False):
        step({"w": g}, lr=float(lr))
        points.append(step.parameters["w"])
    return np.stack(points)


def replay(
    oracle: Callable[..., Iterator[np.ndarray]],
    lr: float,
    gradients: np.ndarray = GRADIENTS,
    start: np.ndarray = START,
    **numbers: Any,
) -> np.ndarray:
    """The oracle's points, [steps + 1, …]."""
    return np.stack([start, *oracle(gradients, rates(lr), start, **numbers)])


def natively(rule: Optimizer, gradients: np.ndarray = GRADIENTS, start: np.ndarray = START) -> np.ndarray:
    """The points of a run as native code, [steps + 1, …], with changing rates."""
    import spusk.numpy as snp
    from spusk.train.step import descent_step

    g = new_input("g", start.shape, start.dtype)
    step = descent_step(
        lambda p, t: snp.sum(p["w"] * g), {"w": start}, rule, {"g": g}, lambda p: {"point": p["w"] + 0}
    )
    values = step.first_values({"w": start}, rule)
    each = {"g": gradients, "hyper/lr": rates(rule.lr)[: len(gradients)]}
    loop = step.program.run(values, steps=len(gradients), each=each)
    return np.concatenate([loop.collected["point"], loop.values["parameters/w"][None]])
