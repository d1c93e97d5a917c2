"""Rules that ask more of the loss than one gradient: their steps, with all that they ask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.ours import mlp
from benchmarks.problems import Mlp
from benchmarks.trial import Trial
from spusk import optim


def steps(problem: Mlp, rule: optim.Optimizer, evidence: Mapping[str, optim.Optimizer]) -> Trial:
    """Steps of a training by the rule, over the problem's batches again and again; a unit is a step.

    Args:
        problem: the network and its batches; its rate is not used.
        rule: what is timed.
        evidence: rules that peers are compared with by their losses, by the name of the evidence.
    """
    step = mlp.training_step(problem, rule)
    rows = problem.rows.reshape(problem.steps, -1)
    session = step.program.begin(mlp.first_values(step, problem, rule), each=["rows"])

    def found() -> dict[str, np.ndarray]:
        return {name: losses(problem, other) for name, other in evidence.items()}

    return Trial(lambda: session.run(problem.steps, {"rows": rows}), problem.steps, found)


def losses(problem: Mlp, rule: optim.Optimizer) -> np.ndarray:
    """The losses of a training's batches, in order."""
    step = mlp.training_step(problem, rule)
    return mlp.losses(step, mlp.first_values(step, problem, rule), problem).ravel()
