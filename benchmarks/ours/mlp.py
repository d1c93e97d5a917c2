"""One training of a network: the training step that `sp.train` makes, run as one loop."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import spusk.compile.native  # noqa: F401  (LLVM with it: an import, as XLA is one of JAX's)
import spusk.numpy as snp
from benchmarks import backend
from benchmarks.problems import Mlp
from benchmarks.trial import Trial
from spusk import input as new_input
from spusk import nn, optim
from spusk.graph import Tensor
from spusk.train.step import DescentStep, Tensors, descent_step


def network(widths: tuple[int, ...]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Layer] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def training_step(problem: Mlp, by: optim.Optimizer | None = None) -> DescentStep:
    """Take a batch, forward, backward, and the update of a rule, by default Adam: one graph."""
    net = network(problem.widths)
    inputs = {
        "rows": new_input("rows", (problem.rows.shape[2],), "int64"),
        "x": new_input("x", problem.x.shape, "float32"),
        "y": new_input("y", problem.y.shape, "int64"),
    }

    def objective(parameters: Tensors, t: Tensor) -> Tensor:
        examples, labels = (snp.take(inputs[name], inputs["rows"], axis=0) for name in ("x", "y"))
        return nn.losses.cross_entropy(net(parameters, examples, training=True, step=t), labels)

    return descent_step(objective, problem.flat(), by or rule(problem), inputs, **backend.chosen())


def rule(problem: Mlp) -> optim.Optimizer:
    return optim.Adam(lr=problem.lr)


def first_values(step: DescentStep, problem: Mlp, by: optim.Optimizer | None = None) -> dict[str, Any]:
    """The program's values before a training's first step."""
    return {**step.first_values(problem.flat(), by or rule(problem)), "x": problem.x, "y": problem.y}


def losses(step: DescentStep, values: dict[str, Any], problem: Mlp) -> np.ndarray:
    """Train from these values; the loss of every batch, [epochs, steps], NaN after a divergence."""
    session = step.program.begin(values, each=["rows"], watch="loss")
    done = session.run(problem.steps, {"rows": problem.rows.reshape(problem.steps, -1)})
    found = np.full(problem.steps, np.nan)
    found[: done.steps] = done.collected["loss"]
    return found.reshape(problem.rows.shape[:2])


def training(problem: Mlp) -> Trial:
    """The whole training; a unit is a step."""
    step = training_step(problem)
    values = first_values(step, problem)

    def evidence() -> dict[str, np.ndarray]:
        found = losses(step, values, problem)
        return {"losses": found, "losses of epochs": found.mean(1)}

    return Trial(lambda: losses(step, values, problem), problem.steps, evidence)
