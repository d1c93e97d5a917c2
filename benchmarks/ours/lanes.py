"""Many trainings at once, as `lab.compare` runs them."""

from __future__ import annotations

import numpy as np

from benchmarks import backend
from benchmarks.ours.mlp import first_values, losses, training_step
from benchmarks.problems import Lanes
from benchmarks.trial import Trial
from spusk.lab.pool import outcomes


def trainings(problem: Lanes, jobs: int) -> Trial:
    """All trainings, `jobs` at a time; a unit is a step of one training."""
    problems = problem.problems
    step = training_step(problems[0])

    def train(lane: int) -> tuple[int, np.ndarray]:
        return lane, losses(step, first_values(step, problems[lane]), problems[lane])

    def once() -> dict[int, np.ndarray]:
        return dict(outcomes(train, range(len(problems)), jobs, threads=backend.in_threads()))

    def evidence() -> dict[str, np.ndarray]:
        found = once()
        return {"losses": np.stack([found[lane] for lane in range(len(problems))])}

    return Trial(once, problem.steps, evidence)
