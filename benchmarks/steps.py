"""One training: time of a step with Adam, batch gather included, beside PyTorch, JAX and scikit-learn.

Every side trains the same network on the same batches from the same weights, and its losses are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks import ceilings, problems
from benchmarks.agreement import deviations
from benchmarks.contender import Contender
from benchmarks.options import Options
from benchmarks.problems import Mlp
from benchmarks.table import Row, Target, data, markdown, number
from benchmarks.timing import Absent, Outcome, race

OURS = Contender("ours", "benchmarks.ours.mlp:training")
QUICK = "left out by --quick, for it compiles long"
CORES = (1, 2)
REPEATS = 7


@dataclass(frozen=True)
class Work:
    """A training to time.

    Args:
        name: as the table shows it.
        make: the training; its argument says whether it is a quick run.
        unit: of a step, and its scale from seconds.
        target: on one core.
        compiles_long: whether the compiled peers are left out of a quick run.
    """

    name: str
    make: Callable[[bool], Mlp]
    unit: str
    scale: float
    target: Target = field(default_factory=Target)
    compiles_long: bool = False


WORKS = (
    Work(
        "digits MLP 64-32-10, batch 32",
        lambda quick: problems.digits(epochs=1 if quick else 20),
        "µs/step",
        1e6,
        Target(at_most=8, ratios={"jax": 1.7, "torch": 40}),
    ),
    Work(
        "MLP 784-256-10, batch 64",
        lambda quick: problems.wide(steps=10, rows=1000) if quick else problems.wide(),
        "µs/step",
        1e6,
        Target(ratios={"jax": 1.1, "torch": 1.6}),
    ),
    Work(
        "100-layer MLP, width 64, batch 32",
        lambda quick: problems.deep(steps=4 if quick else 20),
        "ms/step",
        1e3,
        Target(ratios={"jax": 2}),
        compiles_long=True,
    ),
)


def peers(threads: int, left_out: str = "") -> list[Contender]:
    """The other sides. `left_out` is why `torch.compile` is not run, if it is not."""
    given = {"threads": threads}
    return [
        Contender("torch", "benchmarks.peers.torch_mlp:eager", ("torch",), given),
        Contender("torch.compile", "benchmarks.peers.torch_mlp:compiled", ("torch",), given, left_out),
        Contender("jax", "benchmarks.peers.jax_mlp:training", ("jax", "optax")),
        Contender("scikit-learn", "benchmarks.peers.sklearn_mlp:training", ("sklearn",)),
    ]


def measure(work: Work, cores: int, options: Options) -> Row:
    """Race all sides on one work."""
    problem = work.make(options.quick)
    left_out = QUICK if options.quick and work.compiles_long else ""
    contenders = [c.given(problem=problem) for c in (OURS, *peers(cores, left_out))]
    found = race([*contenders, ceilings.SGEMM], cores=cores, repeats=options.repeats_or(REPEATS))
    ours, product = found.pop("ours"), found.pop("sgemm")
    return Row(
        work=f"{work.name}, {cores} core{'s' if cores > 1 else ''}",
        unit=work.unit,
        ours=ours,
        peers=found,
        target=work.target if cores == 1 else Target(),
        scale=work.scale,
        ceiling=arithmetic_limit(problem.flop, product, work.scale),
        deviations=deviations(ours, found),
    )


def arithmetic_limit(flop: float, product: Outcome, scale: float) -> str:
    """How long the matrix products of a step take at the speed of a large one."""
    if isinstance(product, Absent):
        return f"sgemm: {product.reason}"
    return f"{number(scale * flop * product.median)} (sgemm {1e-9 / product.median:.0f} GFLOP/s)"


def rows(options: Options) -> Iterator[Row]:
    for cores in CORES[:1] if options.quick else CORES:
        for work in WORKS:
            yield measure(work, cores, options)


def run(options: Options) -> tuple[str, dict[str, Any]]:
    found = list(rows(options))
    return markdown(found), data(found)
