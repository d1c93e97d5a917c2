"""256 trainings of the digits network, each with its own rate and seed: time of a step of one training.

We run them through the pool of `lab.compare`; JAX runs all at once by `vmap`; PyTorch one after the other, of
which a few are timed and extrapolated, and stacked by `torch.func.vmap`.
"""

from __future__ import annotations

from typing import Any

from benchmarks import ceilings, problems
from benchmarks.agreement import deviations
from benchmarks.contender import Contender
from benchmarks.options import Options
from benchmarks.steps import arithmetic_limit
from benchmarks.table import Row, Target, data, markdown
from benchmarks.timing import race

CORES = (1, 2)
REPEATS = 5
TARGET = Target(at_most=4, ratios={"jax vmap": 3.5, "torch": 80})
# Some of the trainings have rates at which rounding soon tells, in a network that learns by leaps.
TOLERANCE = 0.1


def measure(cores: int, options: Options) -> Row:
    """Race all sides on so many cores."""
    problem = problems.digits_lanes(8, 1, steps=10) if options.quick else problems.digits_lanes()
    contenders = [
        Contender("ours", "benchmarks.ours.lanes:trainings", (), {"jobs": cores}),
        Contender("torch", "benchmarks.peers.torch_lanes:loop", ("torch",)),
        Contender("torch vmap", "benchmarks.peers.torch_lanes:stacked", ("torch",), {"threads": cores}),
        Contender("jax vmap", "benchmarks.peers.jax_mlp:trainings", ("jax", "optax")),
    ]
    given = [contender.given(problem=problem) for contender in contenders]
    found = race([*given, ceilings.SGEMM], cores=cores, repeats=options.repeats_or(REPEATS))
    ours, product = found.pop("ours"), found.pop("sgemm")
    return Row(
        work=f"{len(problem.problems)} × digits MLP, {cores} core{'s' if cores > 1 else ''}",
        unit="µs/step",
        ours=ours,
        peers=found,
        target=TARGET if cores == 2 else Target(),
        ceiling=arithmetic_limit(problem.problems[0].flop, product, 1e6),
        deviations=deviations(ours, found),
        tolerance=TOLERANCE,
    )


def run(options: Options) -> tuple[str, dict[str, Any]]:
    found = [measure(cores, options) for cores in CORES]
    return markdown(found), data(found)
