"""Our own curves on quadratic_deep beside the published ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import spusk.numpy as snp
from spusk.compile import Backend
from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.lab.verify.finding import Finding
from spusk.lab.verify.problem import BATCH, DIMENSIONS, EPOCHS, START, STEPS_AN_EPOCH, quadratic
from spusk.lab.verify.published import INITIAL, SOURCE, Curve
from spusk.optim import Optimizer
from spusk.train.step import DescentStep, Tensors, descent_step

SEEDS = 10
ALLOWED_INITIAL, ALLOWED = 1e-6, 0.005  # relative; the later losses were single seeds


def initial_losses() -> Iterator[Finding]:
    """The test loss before the first step, of every problem that was drawn."""
    for number, published in INITIAL.items():
        found = float(quadratic(number).test_loss(np.full((1, DIMENSIONS), START))[0])
        what = f"test loss of problem {number} before the first step"
        yield Finding("initial", what, published, found, ALLOWED_INITIAL, SOURCE)


def curve(row: Curve, backend: Backend = "native") -> Iterator[Finding]:
    """The published epochs of one training, beside the mean over our seeds."""
    ours = mean_losses(row.rule, row.problem, backend)
    for epoch, published in row.losses.items():
        what = f"test loss, epoch {epoch}"
        yield Finding(row.name, what, published, float(ours[epoch]), ALLOWED, SOURCE)


def mean_losses(rule: Optimizer, problem: int = 0, backend: Backend = "native") -> NDArray[np.float64]:
    """The test loss after each epoch, [101] with that before the first step, as a mean over seeds."""
    step = _step(rule, backend)
    return np.mean([_losses(step, rule, problem, seed) for seed in range(SEEDS)], axis=0)


def _step(rule: Optimizer, backend: Backend) -> DescentStep:
    data, hessian = quadratic(0).train, quadratic(0).hessian
    inputs = {
        "x": new_input("x", data.shape, data.dtype),
        "hessian": new_input("hessian", hessian.shape, hessian.dtype),
        "rows": new_input("rows", (BATCH,), "int64"),
    }

    def loss(parameters: Tensors, t: object) -> Tensor:
        away = parameters["theta"] - snp.take(inputs["x"], inputs["rows"], axis=0)
        return 0.5 * snp.sum((away @ inputs["hessian"]) * away) / BATCH

    return descent_step(
        loss, _start(), rule, inputs, outputs=lambda w: {"point": w["theta"]}, backend=backend
    )


def _losses(step: DescentStep, rule: Optimizer, problem: int, seed: int) -> NDArray[np.float64]:
    task = quadratic(problem)
    values = step.first_values(_start(), rule, seed) | {"x": task.train, "hessian": task.hessian}
    # One step more than there are: it shows the point after the last one.
    rows = np.resize(task.batches(seed), (EPOCHS * STEPS_AN_EPOCH + 1, BATCH))
    loop = step.program.run(values, steps=len(rows), each={"rows": rows})
    return task.test_loss(loop.collected["point"][::STEPS_AN_EPOCH])


def _start() -> dict[str, NDArray[np.float32]]:
    return {"theta": np.full(DIMENSIONS, START, np.float32)}
